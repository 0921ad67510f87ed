// A workload goes to another wave before it replicates: both waves get a new version, or neither.
import { z } from 'zod';
import { hashOf } from '../../shared/hash.ts';
import { Id } from '../../shared/model/ids.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import { moveWorkload, whyItStays } from '../../shared/policy/moveWorkload.ts';
import { type PlannedShape, shapeOfPlan } from '../../shared/policy/units.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { Move, WaveDocument } from '../../shared/store/documents.ts';
import { moveBetween } from '../../shared/versions/move.ts';
import { versionOf } from '../../shared/versions/version.ts';
import { readBody } from './body.ts';
import { planOf, refuseAll } from './planning.ts';
import { refuse } from './problem.ts';
import { json, type Route } from './route.ts';
import { changeableWave, difference, requirePointsKept, type Whole } from './versions.ts';

const Asked = z.strictObject({
  to: Id,
  group: Id,
  reason: z.string().trim().min(1).max(1000),
  dependsOn: z.array(Id).max(50).optional().describe('workloads of the new group that must serve before it'),
});
type Asked = z.infer<typeof Asked>;

export const moveRoutes: Route[] = [
  {
    name: 'workloadsMove',
    method: 'POST',
    path: 'waves/{id}/workloads/{wid}/move',
    allowed: ['planner'],
    async handle({ capabilities: { store, now }, orchestrations, request, person, param }) {
      const [waveId, workloadId] = [param('id'), param('wid')];
      const asked = await readBody(request, Asked);
      if (asked.to === waveId)
        throw refuse('invalidInput', 'A workload moves to another wave.', [
          { path: 'to', value: asked.to, message: 'it is there', fix: 'change the wave itself by a new version' },
        ]);
      const seen = {
        from: await changeableWave(store, orchestrations, waveId),
        to: await changeableWave(store, orchestrations, asked.to),
      };
      const is = { from: await store.plans.whole(seen.from.plan), to: await store.plans.whole(seen.to.plan) };
      if (await hasMoved(store, is, workloadId, asked)) return json(await asMoved(store, seen, is, workloadId));
      await requireMovable(store, is.from.plan, workloadId);
      const next = await planned(store, is, workloadId, asked, now());
      const diffs = { from: difference(is.from, next.from), to: difference(is.to, next.to) };
      if (request.query.get('dryRun') === 'true') return json({ workloadId, stored: false, ...diffs });
      const { to, group, reason } = asked;
      const versions = { fromVersion: versionOf(seen.from).version, toVersion: versionOf(seen.to).version };
      const where = { workloadId, from: waveId, to, group, ...versions, toAttempt: seen.to.attempt };
      const move: Move = { id: hashOf([where, reason]).slice(0, 32), ...where, by: person.subject, reason, at: now() };
      await moveBetween(store, move, seen, {
        from: await store.plans.put(next.from.definition, next.from.plan),
        to: await store.plans.put(next.to.definition, next.to.plan),
      });
      const made = { from: versions.fromVersion + 1, to: versions.toVersion + 1 };
      return json({ workloadId, stored: true, versions: made, ...diffs });
    },
  },
];

interface Both<T> {
  from: T;
  to: T;
}

/** Both definitions and plans after the move, each checked as if it were posted. */
async function planned(
  store: Store,
  is: Both<Whole>,
  workloadId: string,
  asked: Asked,
  now: string,
): Promise<Both<Whole>> {
  const moved = moveWorkload(is.from.definition, is.to.definition, { workloadId, ...asked });
  if ('problems' in moved) throw refuseAll(`moving "${workloadId}"`, moved.problems);
  const from = await planOf(store, moved.source, now, [withWorkload(is, workloadId, asked.group)]);
  const to = await planOf(store, moved.target, now, [shapeOfPlan(from)]);
  await requirePointsKept(store, moved.target, to);
  return { from: { definition: moved.source, plan: from }, to: { definition: moved.target, plan: to } };
}

/** The other wave's plan as far as dependencies see it: with the workload in its new group. */
function withWorkload({ from, to }: Both<Whole>, workloadId: string, groupId: string): PlannedShape {
  const moved = from.plan.workloads.filter((each) => each.workloadId === workloadId);
  const arrived = moved.map((each) => ({ ...each, groupId }));
  return shapeOfPlan({ ...to.plan, workloads: [...to.plan.workloads, ...arrived] });
}

async function requireMovable(store: Store, plan: WavePlan, workloadId: string): Promise<void> {
  const { waveId } = plan;
  const workload = await store.workloads.get(waveId, workloadId);
  if (workload === undefined || !planHas(plan, workloadId))
    throw refuse('notFound', `There is no workload "${workloadId}" in wave "${waveId}".`);
  const why = whyItStays(workload.state);
  if (why !== undefined) throw refuse('conflict', `Workload "${workloadId}" stays in wave "${waveId}": ${why}.`);
}

const planHas = ({ workloads }: WavePlan, workloadId: string, group?: string): boolean =>
  workloads.some((each) => each.workloadId === workloadId && each.groupId === (group ?? each.groupId));

/** Whether an earlier try of the same move has done it: its caller may not have heard. */
async function hasMoved(store: Store, { from, to }: Both<Whole>, workloadId: string, asked: Asked) {
  if (planHas(from.plan, workloadId) || !planHas(to.plan, workloadId, asked.group)) return false;
  const left = (await store.workloads.events(from.plan.waveId, workloadId)).findLast(
    ({ event }) => event.type === 'landfall.workload.unregistered',
  );
  return left?.event.type === 'landfall.workload.unregistered' && left.event.data.movedTo === to.plan.waveId;
}

async function asMoved(store: Store, { from, to }: Both<WaveDocument>, is: Both<Whole>, workloadId: string) {
  const versions = { from: versionOf(from).version, to: versionOf(to).version };
  const since = async ({ waveId, plan }: WaveDocument, version: number, whole: Whole) => {
    const before = await store.waves.version(waveId, version - 1);
    return difference(await store.plans.whole(before?.plan ?? plan), whole);
  };
  const diffs = { from: await since(from, versions.from, is.from), to: await since(to, versions.to, is.to) };
  return { workloadId, stored: true, versions, ...diffs };
}
