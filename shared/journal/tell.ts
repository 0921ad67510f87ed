// What a changed document of a wave means, as entries of the wave's journal. The store asks here at every write, so that
// nothing of a wave changes without an entry; what no rule knows is told as it is, before and after.
import type {
  AttentionDocument,
  ControlDocument,
  GateDocument,
  LeavingDocument,
  WaveDocument,
} from '../store/documents.ts';
import type { Said, Told } from './entry.ts';

export type ToldDocument = WaveDocument | GateDocument | AttentionDocument | ControlDocument | LeavingDocument;

const user = (subject: string): string => `user:${subject}`;

/** The entries of a new or changed document. */
export function tell(before: ToldDocument | undefined, after: ToldDocument, said: Said = {}): Told[] {
  const told = tellDocument(before, after);
  return told.map(({ source, data, ...rest }) => ({
    ...(said.operationId === undefined ? {} : { operationId: said.operationId }),
    ...rest,
    source: said.by ?? source,
    data: said.reason === undefined ? data : { ...data, reason: said.reason },
  }));
}

function tellDocument(before: ToldDocument | undefined, after: ToldDocument): Told[] {
  switch (after.kind) {
    case 'wave':
      return before?.kind === 'wave' ? tellWave(before, after) : [posted(after)];
    case 'gate':
      return before?.kind === 'gate' ? tellGate(before, after) : [opened(after)];
    case 'attention':
      return before?.kind === 'attention' ? tellAttention(before, after) : [raised(after)];
    case 'control':
      return [ordered(after)];
    case 'leaving':
      return [letGo(before?.kind === 'leaving' ? before : undefined, after)];
  }
}

function posted({ plan, createdBy, createdAt }: WaveDocument): Told {
  const data = { planHash: plan.hash, groups: plan.groups.length, workloads: plan.size };
  return { type: 'landfall.wave.posted', time: createdAt, source: user(createdBy), data };
}

function tellWave(before: WaveDocument, after: WaveDocument): Told[] {
  const told: Told[] = [];
  const { revision } = after;
  if (revision !== undefined && before.revision?.version !== revision.version) {
    const { version, by, at, reason, move } = revision;
    const hashes = { before: before.plan.hash, after: after.plan.hash };
    told.push({
      type: 'landfall.wave.versioned',
      time: at,
      source: user(by),
      data: { version, ...hashes, reason, ...(move === undefined ? {} : { move }) },
    });
  }
  if (before.status !== after.status || before.attempt !== after.attempt) {
    const started = after.startedAt !== before.startedAt && after.startedBy !== undefined;
    told.push({
      type: 'landfall.wave.statusChanged',
      source: started ? user(after.startedBy ?? '') : 'platform',
      data: {
        before: before.status,
        after: after.status,
        attempt: after.attempt,
        codeVersion: after.codeVersion,
        ...reasonOf(after),
      },
    });
  }
  for (const [groupId, group] of Object.entries(after.groups)) {
    const earlier = before.groups[groupId];
    if (earlier?.status === group.status && earlier.reason === group.reason) continue;
    told.push({
      type: 'landfall.group.statusChanged',
      source: 'platform',
      data: { groupId, before: earlier?.status ?? null, after: group.status, ...reasonOf(group) },
    });
  }
  told.push(...others('landfall.wave.changed', {}, before, after, waveTold));
  return told;
}

/** Members of a wave that have entries of their own, or only say when. */
const waveTold = new Set([
  'plan',
  'settled',
  'revision',
  'status',
  'attempt',
  'codeVersion',
  'reason',
  'groups',
  'steps',
  'startedBy',
  'endedAt',
  'startedAt',
  'unheeded',
]);

function opened(gate: GateDocument): Told {
  const { id, groupId, name, question, requester, openedAt, operationId } = gate;
  const { workloadIds, expiresAt } = gate;
  const data = { gateId: id, groupId, name, question, workloadIds, requester, expiresAt };
  return { type: 'landfall.gate.opened', time: openedAt, source: 'platform', operationId, data };
}

function tellGate(before: GateDocument, after: GateDocument): Told[] {
  const gate = { gateId: after.id, groupId: after.groupId, name: after.name };
  const { operationId } = after;
  const told: Told[] = after.decisions.slice(before.decisions.length).map((decision) => ({
    type: 'landfall.gate.decided',
    time: decision.at,
    source: decision.byPolicy === true ? 'platform' : user(decision.by),
    operationId,
    data: { ...gate, ...decision, reason: decision.comment },
  }));
  for (const { by, text, at } of after.comments.slice(before.comments.length))
    told.push({
      type: 'landfall.gate.commented',
      time: at,
      source: user(by),
      operationId,
      data: { ...gate, reason: text },
    });
  for (const { from, to, reason, at } of after.delegations.slice(before.delegations.length))
    told.push({
      type: 'landfall.gate.delegated',
      time: at,
      source: user(from),
      operationId,
      data: { ...gate, to, reason },
    });
  if (before.status !== after.status)
    told.push({
      type: 'landfall.gate.closed',
      source: 'platform',
      operationId,
      data: { ...gate, before: before.status, after: after.status, approved: after.approved },
    });
  return [...told, ...others('landfall.gate.changed', gate, before, after, gateTold)];
}

const gateTold = new Set(['status', 'decisions', 'comments', 'delegations', 'approved']);

function raised({ id, step, workloadIds, failure, choices, openedAt, operationId }: AttentionDocument): Told {
  const data = { attentionId: id, step, workloadIds, failure, choices, reason: failure.message };
  return { type: 'landfall.attention.raised', time: openedAt, source: 'platform', operationId, data };
}

function tellAttention(before: AttentionDocument, after: AttentionDocument): Told[] {
  const question = { attentionId: after.id, step: after.step };
  const { operationId, answer } = after;
  const told: Told[] = [];
  if (before.status !== after.status && after.status === 'answered' && answer !== undefined)
    told.push({
      type: 'landfall.attention.answered',
      time: answer.at,
      source: user(answer.by),
      operationId,
      data: { ...question, ...answer },
    });
  else if (before.status !== after.status)
    told.push({ type: `landfall.attention.${after.status}`, source: 'platform', operationId, data: question });
  return [...told, ...others('landfall.attention.changed', question, before, after, new Set(['status', 'answer']))];
}

function ordered({ id, instanceIds, signal, at }: ControlDocument): Told {
  const addressees = Array.isArray(instanceIds) ? instanceIds.length : 'all';
  const data = { orderId: id, ...signal, addressees };
  return { type: 'landfall.order.given', time: at, source: user(signal.by), data };
}

function letGo(before: LeavingDocument | undefined, { attempt, workloadIds }: LeavingDocument): Told {
  const known = before?.attempt === attempt ? before.workloadIds : [];
  const data = { attempt, workloadIds: workloadIds.filter((id) => !known.includes(id)) };
  return { type: 'landfall.workloads.letGo', source: 'platform', data };
}

const reasonOf = ({ reason }: { reason?: string | undefined }) => (reason === undefined ? {} : { reason });

/** One entry for all members that changed and that no rule above tells. */
function others(type: string, about: object, before: object, after: object, told: ReadonlySet<string>): Told[] {
  const [was, is] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => !told.has(name) && JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  if (changed.length === 0) return [];
  const only = (of: Record<string, unknown>) => Object.fromEntries(changed.map((name) => [name, of[name] ?? null]));
  return [{ type, source: 'platform', data: { ...about, before: only(was), after: only(is) } }];
}
