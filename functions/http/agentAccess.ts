// What a target appliance is given to put an agent onto a source: the login, and the agent's one-time token. Only while the
// platform waits for exactly that, and only to the appliance that it has asked.
import type { HttpRequest } from '@azure/functions';
import type { Capabilities } from '../../shared/capabilities.ts';
import { bootstrapOf, issueToken } from '../../shared/oneTimeToken.ts';
import { AgentAccessClaims, AgentBootstrap, SshCredential } from '../../shared/protocol/agentAccess.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';
import { signedBy } from './enrolment.ts';
import { problemsOf, refuse } from './problem.ts';
import { json, type Route } from './route.ts';

export const agentAccessRoutes: Route[] = [
  {
    name: 'appliancesAgentAccess',
    method: 'POST',
    path: 'appliances/{id}/agent-access',
    allowed: 'anyone',
    handle: ({ capabilities, request, param }) => agentAccess(capabilities, param('id'), request),
  },
];

async function agentAccess(capabilities: Capabilities, by: string, request: HttpRequest) {
  const claims = await signedBy(capabilities, by, request);
  const asked = AgentAccessClaims.safeParse(claims);
  if (!asked.success)
    throw refuse(
      'invalidInput',
      'The signed request does not ask for access to an agent.',
      problemsOf(asked.error, claims, new Set()),
    );
  const { purpose, agentId, operationId } = asked.data;
  const { store, ssh } = capabilities;
  const push = wanted(await store.appliances.get(agentId), by, operationId);
  if (purpose === 'agentCredential') return json(SshCredential.parse(ssh.of(push.credential, push.host)));
  return json(AgentBootstrap.parse({ bootstrap: await bootstrap(capabilities, agentId, by, operationId) }));
}

/** What the appliance was asked to do; also for agents that do not exist it is told no more than that. */
function wanted(agent: ApplianceDocument | undefined, by: string, operationId: string) {
  if (agent?.push?.by === by && agent.push.operationId === operationId) return agent.push;
  throw refuse('forbidden', 'This appliance is not asked to do anything about that agent now.');
}

/** A new token, which voids an earlier one; null once the agent has come. */
async function bootstrap({ store, config, now }: Capabilities, agentId: string, by: string, operationId: string) {
  const { token, ...issued } = issueToken(now());
  const agent = await store.appliances.change(agentId, (current) => {
    wanted(current, by, operationId);
    return current.status === 'awaited' ? { ...current, ...issued } : undefined;
  });
  return agent.tokenHash === issued.tokenHash ? bootstrapOf(config, agent.applianceKind, token) : null;
}
