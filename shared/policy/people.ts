/** What people may be. A role allows what it names and nothing else; any of them may read. */
export const roles = ['reader', 'planner', 'operator', 'approver', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** Whoever a bearer token speaks for. */
export interface Person {
  /** The token's subject: what is recorded and compared. */
  subject: string;
  name: string;
  roles: readonly Role[];
  /** The directory's groups that the token names. */
  groups?: readonly string[];
}

/** Token subjects differ in case between issuers' spellings, never in person. */
export function samePerson(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
