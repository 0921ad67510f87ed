// Who lives in a modelled world.
import type { Person } from '../../shared/policy/people.ts';

export const ada: Person = { subject: 'ada', name: 'Ada', roles: ['planner', 'operator'] };
export const carl: Person = { subject: 'carl', name: 'Carl', roles: ['operator', 'approver'] };
export const dora: Person = { subject: 'dora', name: 'Dora', roles: ['operator', 'approver'] };
export const erin: Person = { subject: 'erin', name: 'Erin', roles: ['approver', 'administrator'] };

export const approvers: ReadonlySet<string> = new Set([carl, dora, erin].map(({ subject }) => subject));
