// Gates: what people are asked before a wave goes on, and what they answer.
import { z } from 'zod';
import { Id } from '../../shared/model/ids.ts';
import { comment, decide, delegate, type Refused } from '../../shared/policy/gates.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { GateDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { refuse } from './problem.ts';
import { type Call, json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

const Text = z.string().trim().max(1000);
const Decision = z.strictObject({
  comment: Text.default(''),
  workloads: z.array(Id).min(1).max(100).optional(),
  acceptDataLoss: z.boolean().default(false),
});
const Delegation = z.strictObject({ to: z.string().trim().min(1).max(120), reason: Text.min(1) });
const Comment = z.strictObject({ comment: Text.min(1) });

type Change = { gate: GateDocument } | { refused: Refused };

/** Changes a gate as its policy allows, or answers why not. Who may do what is the gate's own policy, not the route's. */
async function changeGate({ capabilities: { store }, param }: Call, change: (gate: GateDocument) => Change) {
  const gate = await store.gates.change(param('id'), param('gateId'), (current) => {
    const changed = change(current);
    if ('gate' in changed) return changed.gate;
    const { code, message, suggestion } = changed.refused;
    throw refuse(code, `${message} ${suggestion}`);
  });
  return json(gate);
}

/**
 * Throws unless the person may reject a commit and says what that costs: traffic has moved, so rejecting means rolling
 * back. Whom the gate names decides about the commit; the loss of data is accepted by approvers alone.
 */
function checkLossAccepted({ acceptDataLoss, comment: why }: z.infer<typeof Decision>, person: Person): void {
  if (!person.roles.includes('approver'))
    throw refuse(
      'forbidden',
      'Rejecting the commit accepts the loss of what the targets have taken in since traffic moved, and that needs the role approver, whoever else may decide at this gate. Leave the gate open and ask an approver to reject here or to roll the group back (POST /api/waves/{id}/rollback with "acceptDataLoss": true).',
    );
  if (!acceptDataLoss || why === '')
    throw refuse(
      'conflict',
      'Rejecting the commit rolls back, and what the targets have accepted since traffic moved would be lost. Say so with "acceptDataLoss": true and a comment that gives the reason.',
    );
}

const deciding = (decision: 'approve' | 'reject'): Route => ({
  name: `gates${decision === 'approve' ? 'Approve' : 'Reject'}`,
  method: 'POST',
  path: `waves/{id}/gates/{gateId}/${decision}`,
  allowed: readers,
  async handle(call) {
    const said = await readBody(call.request, Decision);
    const at = call.capabilities.now();
    return changeGate(call, (gate) => {
      if (gate.name === 'commit' && decision === 'reject') checkLossAccepted(said, call.person);
      return decide(gate, { ...said, decision, at }, call.person);
    });
  },
});

export const gateRoutes: Route[] = [
  {
    name: 'gatesList',
    method: 'GET',
    path: 'waves/{id}/gates',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const { waveId } = await waveOf(store, param('id'));
      return json({ gates: await store.gates.list(waveId) });
    },
  },
  deciding('approve'),
  deciding('reject'),
  {
    name: 'gatesDelegate',
    method: 'POST',
    path: 'waves/{id}/gates/{gateId}/delegate',
    allowed: readers,
    async handle(call) {
      const asked = await readBody(call.request, Delegation);
      const at = call.capabilities.now();
      return changeGate(call, (gate) => delegate(gate, { ...asked, at }, call.person));
    },
  },
  {
    name: 'gatesComment',
    method: 'POST',
    path: 'waves/{id}/gates/{gateId}/comments',
    allowed: readers,
    async handle(call) {
      const { comment: text } = await readBody(call.request, Comment);
      const at = call.capabilities.now();
      return changeGate(call, (gate) => comment(gate, { text, at }, call.person));
    },
  },
];
