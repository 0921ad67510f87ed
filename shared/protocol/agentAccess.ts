// What the target appliance fetches over HTTPS to put an agent onto a source, or to take it away: nothing of it is ever in a
// message. POST /api/appliances/{id}/agent-access, with a request that the appliance has signed.
import { z } from 'zod';
import { Id } from '../model/ids.ts';
import { Bootstrap } from './enrolment.ts';

/** Claims of the request: what is wanted, for which agent, by which operation that the platform has asked for. */
export const AgentAccessClaims = z.looseObject({
  purpose: z.enum(['agentCredential', 'agentBootstrap']),
  agentId: Id,
  operationId: z.string().max(200),
});

/** As whom to log in, and with what: either a private key or a password. */
export const SshCredential = z.strictObject({
  user: z.string().min(1),
  privateKey: z.string().optional(),
  password: z.string().optional(),
});
export type SshCredential = z.infer<typeof SshCredential>;

/** The answer to `agentBootstrap`; null: the agent has enrolled and needs no token. */
export const AgentBootstrap = z.strictObject({ bootstrap: Bootstrap.nullable() });
