// A gate as the store has it, with what a test wants to be different.
import { GatePolicy } from '../../shared/model/gate.ts';
import { GateDocument } from '../../shared/store/documents.ts';

export function gateOf(change: Partial<GateDocument> = {}, policy: Partial<GateDocument['policy']> = {}): GateDocument {
  return GateDocument.parse({
    id: 'gate.g.uat.1',
    kind: 'gate',
    waveId: 'w1',
    groupId: 'g',
    name: 'uat',
    question: '?',
    requester: 'ada',
    status: 'open',
    openedAt: '2026-12-01T10:00:00.000Z',
    decisions: [],
    operationId: 'o:1',
    policy: GatePolicy.parse(policy),
    ...change,
  });
}
