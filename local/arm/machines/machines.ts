export class Machines {}
