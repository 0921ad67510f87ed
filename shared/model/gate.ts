// Gates: where a wave waits for people. Three are asked by default and one long after the commit, one may stand before any step, and what no host can
// be asked for is confirmed at gates of its own.
import { z } from 'zod';
import { Act } from './byHand.ts';
import { Duration } from './ids.ts';
import { type StepName, stepNames } from './steps.ts';

const People = z.array(z.string().min(1).max(120)).max(50).default([]);
const deciding = ['operator', 'approver', 'administrator'] as const;

/** Who may decide at a gate and what happens when nobody does. */
export const GatePolicy = z.strictObject({
  required: z.boolean().default(true),
  roles: z
    .array(z.enum(deciding))
    .min(1)
    .default(['approver'])
    .describe('whoever decides has one of these roles; `approvers` and `groups` narrow it down'),
  approvers: People.describe('names or token subjects of people; empty, as `groups`: everybody with the role'),
  groups: People.describe('groups of the directory, as the token’s claim `groups` has them'),
  quorum: z.int().min(1).max(10).default(1).describe('how many different people approve'),
  partial: z.boolean().default(false).describe('whether some workloads may be approved and others not'),
  delegation: z.boolean().default(true).describe('whether people who are named may hand their vote to another'),
  expiresAfter: Duration.optional(),
  onExpiry: z.enum(['hold', 'approve', 'reject']).default('hold'),
});
export type GatePolicy = z.infer<typeof GatePolicy>;

/** What a gate is called: what is signed off, the step that it stands before, or what people do by hand. */
export const GateName = z.union([
  z.enum(['uat', 'cutover', 'commit', 'decommission']),
  z.templateLiteral(['before:', z.enum(stepNames)]),
  z.templateLiteral(['byHand:', Act]),
]);
export type GateName = z.infer<typeof GateName>;

const whole = (name: string) =>
  GatePolicy.refine(({ partial }) => !partial, {
    path: ['partial'],
    message: `${name}: approve the whole, or name the workloads at the gates uat, cutover and decommission`,
  });

/** The gates of a wave. */
export const Gates = z.strictObject({
  uat: GatePolicy.prefault({}),
  cutover: GatePolicy.prefault({}),
  commit: whole('what was cut over together commits together')
    .refine(({ onExpiry }) => onExpiry !== 'reject', {
      path: ['onExpiry'],
      message:
        'rejecting the commit rolls back after traffic has moved: say so in commitPolicy.onTimeout, with its acceptDataLoss',
    })
    .prefault({}),
  decommission: GatePolicy.refine(({ required }) => required, {
    path: ['required'],
    message: 'somebody has to say that replicated data is deleted',
  })
    .refine(({ expiresAfter, onExpiry }) => expiresAfter === undefined && onExpiry === 'hold', {
      path: ['expiresAfter'],
      message: 'it waits without limit: nobody’s silence deletes anything',
    })
    .prefault({})
    .describe('long after the commit: whether the staged points may be deleted and the sources removed'),
  before: z
    .partialRecord(z.enum(stepNames), whole('a step is taken or not'))
    .default({})
    .describe('gates before steps, by the step’s name; the step’s workload or group asks'),
  byHand: whole('each act is of one machine')
    .refine(({ required }) => required, {
      path: ['required'],
      message: 'somebody has to say that it was done: no host can be asked',
    })
    .refine(({ onExpiry }) => onExpiry !== 'approve', {
      path: ['onExpiry'],
      message: 'nobody’s silence switches a machine off: say hold or reject',
    })
    .prefault({ roles: ['operator', 'approver'] })
    .describe('who confirms what people do with machines that have no host interface'),
});
export type Gates = z.infer<typeof Gates>;

/** The policy of a gate, if the wave has such a gate. */
export function gatePolicy(gates: Gates, name: GateName): GatePolicy | undefined {
  if (name.startsWith('byHand:')) return gates.byHand;
  return isKept(name) ? gates[name] : gates.before[name.slice('before:'.length) as StepName];
}

function isKept(name: GateName): name is 'uat' | 'cutover' | 'commit' | 'decommission' {
  return !name.includes(':');
}
