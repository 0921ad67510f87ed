/** Something is wrong with what was asked, not with the wave: told in one line, with the way out. */
export class Misuse extends Error {}
