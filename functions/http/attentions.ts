// What people are asked when something has failed for good. Every answer is checked against what its question offers.
import { z } from 'zod';
import { allSteps } from '../../orchestrators/itinerary.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { type Answer, Choice } from '../../shared/model/attention.ts';
import type { Person, Role } from '../../shared/policy/people.ts';
import type {
  AttentionDocument,
  LeavingDocument,
  WaveDocument,
  WorkloadDocument,
} from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { checkLeaving, letThemLeave } from './leaving.ts';
import { Reason } from './orders.ts';
import { checkRollback } from './pointOfNoReturn.ts';
import { problemsOf, refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

const Given = z.strictObject({
  choice: Choice,
  reason: Reason,
  to: z.enum(['replicating', 'withdrawn']).optional(),
  acceptDataLoss: z.boolean().default(false),
  alone: z.boolean().optional(),
  changed: z.unknown().optional(),
});
type Given = z.infer<typeof Given>;
const Retry = z.strictObject({ reason: z.string().trim().max(1000).default('retried') });

export const attentionRoutes: Route[] = [
  {
    name: 'attentionsList',
    method: 'GET',
    path: 'waves/{id}/attentions',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const { waveId } = await waveOf(store, param('id'));
      return json({ attentions: await store.attentions.list(waveId) });
    },
  },
  {
    name: 'attentionsAnswer',
    method: 'POST',
    path: 'waves/{id}/attentions/{attentionId}',
    allowed: ['operator', 'approver'],
    async handle({ capabilities, request, param, person }) {
      const given = await readBody(request, Given);
      return json(await reply(capabilities, param('id'), param('attentionId'), given, person));
    },
  },
  {
    name: 'workloadsRetry',
    method: 'POST',
    path: 'waves/{id}/workloads/{wid}/retry',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { reason } = await readBody(request, Retry);
      const { waveId } = await waveOf(capabilities.store, param('id'));
      const attentions = await capabilities.store.attentions.list(waveId);
      const concerned = ({ status, workloadIds }: AttentionDocument) =>
        status === 'open' && (workloadIds.length === 0 || workloadIds.includes(param('wid')));
      const attention = attentions.find(concerned);
      if (attention === undefined)
        throw refuse('conflict', `Workload ${param('wid')} of wave ${waveId} does not wait for an answer.`);
      const retry: Given = { choice: 'retry', reason, acceptDataLoss: false };
      return json(await reply(capabilities, waveId, attention.id, retry, person));
    },
  },
];

/** Answers a question as a person; throws what stands against it. */
export async function reply(
  { store, now }: Capabilities,
  waveId: string,
  attentionId: string,
  given: Given,
  person: Person,
): Promise<AttentionDocument> {
  const [wave, workloads, letGo] = await Promise.all([
    waveOf(store, waveId),
    store.workloads.list(waveId),
    store.leaving.get(waveId),
  ]);
  const answered = (attention: AttentionDocument): AttentionDocument => {
    if (attention.status !== 'open') throw refuse('conflict', `This question is ${attention.status} already.`);
    if (!attention.choices.includes(given.choice))
      throw refuse('conflict', `"${given.choice}" is not offered here, only ${attention.choices.join(', ')}.`);
    checkFields(given);
    const concerned = workloads.filter(({ workloadId }) => attention.workloadIds.includes(workloadId));
    checkPerson(attention, given, person, concerned);
    const { choice, reason, to, alone } = given;
    if (alone === true) checkAlone(wave, workloads, letGo, attention);
    const changed = given.changed === undefined ? {} : { changed: changeFor(attention, given.changed) };
    const answer: Answer = {
      choice,
      by: person.subject,
      reason,
      at: now(),
      ...(to === undefined ? {} : { to }),
      ...(alone === undefined ? {} : { alone }),
      ...changed,
    };
    return { ...attention, status: 'answered', answer };
  };
  const open = given.alone === true && (await store.attentions.list(waveId)).find(({ id }) => id === attentionId);
  if (!open) return store.attentions.change(waveId, attentionId, answered);
  answered(open);
  return letThemLeave(store, waveId, open.workloadIds, { id: attentionId, change: answered });
}

/** Which of an answer's fields belong to which choice. */
function checkFields({ choice, to, alone, changed }: Given): void {
  const stray = [
    ...(to !== undefined && choice !== 'rollback' ? [{ path: 'to', value: to, of: 'rollback' }] : []),
    ...(alone !== undefined && choice !== 'rollback' ? [{ path: 'alone', value: alone, of: 'rollback' }] : []),
    ...(changed !== undefined && choice !== 'retry' ? [{ path: 'changed', value: changed, of: 'retry' }] : []),
  ];
  if (stray.length === 0) return;
  const problems = stray.map(({ path, value, of }) => ({
    path,
    value,
    message: `belongs to the choice "${of}"`,
    fix: `remove it, or choose "${of}"`,
  }));
  throw refuse('invalidInput', `"${choice}" does not take all that is given.`, problems);
}

function checkAlone(
  wave: WaveDocument,
  workloads: readonly WorkloadDocument[],
  letGo: LeavingDocument | undefined,
  attention: AttentionDocument,
): void {
  const { step: name, workloadIds } = attention;
  if (allSteps.find((step) => step.name === name)?.scope !== 'workload')
    throw refuse(
      'conflict',
      `${name} is taken for the whole group: none of its workloads can be rolled back alone here.`,
    );
  checkLeaving(wave, workloads, letGo, workloadIds);
}

function checkPerson(
  { skipNeeds = 'operator', changesNeed = 'operator' }: AttentionDocument,
  { choice, changed, acceptDataLoss }: Given,
  person: Person,
  concerned: readonly WorkloadDocument[],
): void {
  if (choice === 'rollback' || choice === 'cancel') {
    checkRollback(concerned, person, acceptDataLoss);
    return;
  }
  const needed: Role = choice === 'skip' ? skipNeeds : changed === undefined ? 'operator' : changesNeed;
  const what = choice === 'skip' ? 'Skipping this step' : changed === undefined ? 'This' : 'Changing this input';
  if (!person.roles.includes(needed)) throw refuse('forbidden', `${what} needs the role ${needed}.`);
}

/** The changed input in the form that the step has declared. */
function changeFor({ step: name, accepts }: AttentionDocument, changed: unknown): unknown {
  const schema = allSteps.find((step) => step.name === name)?.changes?.schema;
  if (schema === undefined || accepts === undefined)
    throw refuse('invalidInput', `A retry of ${name} takes no changed input.`, [
      { path: 'changed', value: changed, message: 'is not accepted by this step', fix: 'leave it out' },
    ]);
  const parsed = schema.safeParse(changed);
  if (parsed.success) return parsed.data as unknown;
  const names = new Set(Object.keys((accepts['properties'] as object | undefined) ?? {}));
  const problems = problemsOf(parsed.error, changed, names).map((problem) => ({
    ...problem,
    path: problem.path === '' ? 'changed' : `changed.${problem.path}`,
  }));
  throw refuse('invalidInput', `The changed input does not fit ${name}.`, problems);
}
