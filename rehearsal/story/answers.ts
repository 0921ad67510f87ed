// What people answer when something has failed for good: again, again with other input, leave it out, back, or alone.
import { allSteps } from '../../orchestrators/itinerary.ts';
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import type { AttentionDocument } from '../../shared/store/documents.ts';
import { carl } from '../world/persons.ts';
import { doByHand } from './byHand.ts';
import { type Doings, reason } from './doings.ts';

/** Of questions: how many are answered with a way back at once, and how many with something else than the plain retry. */
export interface Answering {
  rollsBack: number;
  inventive: number;
}

/** Answers a question in one of the ways that it offers. Who has been asked about one step often enough gives up. */
export async function answer(
  doings: Doings,
  question: AttentionDocument,
  people: Answering,
  times: number,
): Promise<void> {
  const { waveId, id, step, choices, workloadIds } = question;
  const { chance } = doings;
  const offered: readonly string[] = choices;
  if (offered.includes('doneByHand') && chance.happens(people.inventive)) {
    await doByHand(doings.world, question);
    return say(doings, question, { choice: 'doneByHand' });
  }
  if (times > 3 || chance.happens(people.rollsBack)) {
    const back = ['rollback', 'cancel'].filter((choice) => offered.includes(choice));
    if (back.length > 0) return say(doings, question, { choice: doings.pick(back), ...wayOf(doings, question, times) });
  }
  const others = [
    ...(question.accepts === undefined ? [] : [{ choice: 'retry', changed: changedInput(doings, question) }]),
    ...(offered.includes('skip') ? [{ choice: 'skip' }] : []),
  ];
  if (others.length > 0 && chance.happens(people.inventive)) return say(doings, question, doings.pick(others));
  const [workloadId] = workloadIds;
  if (workloadId === undefined || chance.happens(0.8)) return say(doings, question, { choice: 'retry' });
  const params = { id: waveId, attentionId: id, wid: workloadId };
  await doings.ask(`retry ${step} of ${workloadId}`, 'workloadsRetry', params, { reason }, carl);
}

async function say(
  doings: Doings,
  { waveId, id, step }: AttentionDocument,
  given: { choice: string; changed?: unknown; alone?: true },
): Promise<void> {
  const { choice, changed, alone } = given;
  const how = `${choice}${changed === undefined ? '' : ` ${JSON.stringify(changed)}`}${alone === true ? ' alone' : ''}`;
  const body = { ...given, reason, acceptDataLoss: true };
  await doings.ask(`answer ${step} with ${how}`, 'attentionsAnswer', { id: waveId, attentionId: id }, body, carl);
}

/** Where a rollback leads, and for whom; who was refused to leave alone takes the others along the next time. */
function wayOf({ chance, world }: Doings, { waveId, step, workloadIds }: AttentionDocument, times: number) {
  const workloads = world.plans(waveId);
  const home = workloads.find(({ workloadId }) => workloadId === workloadIds[0])?.groupId;
  const hasOthers = workloads.filter(({ groupId }) => groupId === home).length > 1;
  const ofOne = hasOthers && allSteps.find(({ name }) => name === step)?.scope === 'workload';
  const isAlone = ofOne && times === 1 && chance.happens(0.7);
  return isAlone ? { choice: 'rollback', alone: true as const } : {};
}

const movesTraffic = (action: WorkloadPlan['settings']['cutover']['actions'][number]): boolean =>
  action.kind === 'dns' || (action.kind === 'loadBalancer' && action.takeOut !== undefined);

/** Input that the step takes: what its plan has, without one of the things that may be left out. */
function changedInput(doings: Doings, { waveId, step, workloadIds }: AttentionDocument): unknown {
  if (step === 'finalDelta')
    return doings.pick([{ onShutdownRefused: 'force' }, { withinSeconds: 1200 }, { onShutdownRefused: 'abort' }]);
  const [settings] = doings.world
    .plans(waveId)
    .filter(({ workloadId }) => workloadIds.includes(workloadId))
    .map((plan) => plan.settings);
  const actions = settings?.cutover.actions.filter((action) => !movesTraffic(action)) ?? [];
  const checks = step === 'uat' ? settings?.uat.checks : settings?.validation.checks;
  const named: readonly { name: string }[] = step === 'postCutover' ? actions : (checks ?? []);
  return { leaveOut: [doings.pick(named)?.name ?? 'nothing'] };
}
