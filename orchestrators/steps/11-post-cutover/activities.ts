import { z } from 'zod';
import type { Action, Place } from '../../../shared/actions/action.ts';
import { actionOf, type CutoverAction } from '../../../shared/actions/all.ts';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { PlatformEvent } from '../../../shared/lifecycle/events.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { environmentOf, workloadOf } from '../../../shared/store/plans.ts';
import { append } from '../../journal/activities.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });
const Group = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });

interface Planned {
  /** Operation ids of those that are remembered and have begun, by name. */
  begun: Readonly<Record<string, string>>;
  place: Place;
  actions: readonly { written: CutoverAction; action: Action }[];
}

/** A workload's actions, and where they are done. */
async function plannedFor(store: Store, workload: z.infer<typeof Workload>): Promise<Planned> {
  const { waveId, workloadId, plan, state } = await workloadOf(store, workload);
  const environment = await environmentOf(store, plan.environmentId);
  const { actions, ttl } = plan.settings.cutover;
  return {
    begun: state.actions ?? {},
    place: { waveId, workloadId, environment, machine: plan.target.name, ttl, operationId: '' },
    actions: actions.map((written) => ({ written, action: actionOf(written) })),
  };
}

async function plannedAt(store: Store, { index, ...workload }: z.infer<typeof Workload> & { index: number }) {
  const { place, begun, actions } = await plannedFor(store, workload);
  const found = actions[index];
  if (found !== undefined) return { place, ...found, begunAs: begun[found.written.name] };
  throw terminal(
    'invalidInput',
    `${workload.workloadId} has no cutover action ${index}.`,
    'The plan is immutable; this is a bug.',
  );
}

/** What an action found before it was done, to be put back. */
export const ActionBefore = z.strictObject({
  workloadId: z.string(),
  index: z.int(),
  movesTraffic: z.boolean(),
  before: z.unknown(),
  todo: z.string().describe('what putting it back takes, in words'),
});
export type ActionBefore = z.infer<typeof ActionBefore>;

export const captureActions = defineActivity({
  name: 'captureActions',
  input: Group,
  output: z.array(ActionBefore),
  async effect({ store, ...reach }, { waveId, workloadIds }) {
    const found: ActionBefore[] = [];
    for (const workloadId of workloadIds) {
      const { place, actions } = await plannedFor(store, { waveId, workloadId });
      for (const [index, { written, action }] of actions.entries()) {
        const captured = await action.capture(reach, place, written);
        const movesTraffic = action.movesTraffic(written);
        if (captured !== undefined) found.push({ workloadId, index, movesTraffic, ...captured });
      }
    }
    return found;
  },
});

/** Throws what stands against an action of these workloads: found before their sources go off, and again after. */
export const precheckActions = defineActivity({
  name: 'precheckActions',
  input: Group.extend({ leaveOut: z.array(z.string()) }),
  output: z.int().describe('how many actions were looked at'),
  async effect({ store, ...reach }, { waveId, workloadIds, leaveOut }) {
    let looked = 0;
    for (const workloadId of workloadIds) {
      const { place, actions } = await plannedFor(store, { waveId, workloadId });
      for (const { written, action } of actions) {
        if (leaveOut.includes(written.name) && !action.movesTraffic(written)) continue;
        await action.precheck(reach, place, written);
        looked++;
      }
    }
    return looked;
  },
});

/** The plan's actions of one workload, in order: those that move its traffic, or the others. */
export const listActions = defineActivity({
  name: 'listActions',
  input: Workload.extend({ moveTraffic: z.boolean(), leaveOut: z.array(z.string()) }),
  output: z.array(z.int()),
  async effect({ store }, { moveTraffic, leaveOut, ...workload }) {
    const { actions } = await plannedFor(store, workload);
    return actions.flatMap(({ written, action }, index) =>
      action.movesTraffic(written) === moveTraffic && !leaveOut.includes(written.name) ? [index] : [],
    );
  },
});

/** Those of the group's workloads whose traffic has not moved yet. */
export const withoutTraffic = defineActivity({
  name: 'withoutTraffic',
  input: Group,
  output: z.array(z.string()),
  async effect({ store }, { waveId, workloadIds }) {
    const workloads = await store.workloads.list(waveId);
    const moved = new Set(
      workloads.filter(({ state }) => state.phase === 'trafficMoved').map(({ workloadId }) => workloadId),
    );
    return workloadIds.filter((workloadId) => !moved.has(workloadId));
  },
});

export const Applied = z.strictObject({
  workloadId: z.string(),
  action: z.string(),
  before: z.unknown(),
  after: z.unknown(),
});
export type Applied = z.infer<typeof Applied>;

/** Does one action; setting what is set already changes nothing. */
export const applyAction = defineActivity({
  name: 'applyAction',
  changes: 'what a cutover action names',
  input: Workload.extend({ index: z.int() }),
  output: Applied,
  async effect({ store, now, ...reach }, asked, { operationId: called, changed }) {
    const { place, written, action, begunAs } = await plannedAt(store, asked);
    const operationId = begunAs ?? called;
    if (action.remembered && begunAs === undefined) {
      const data = { name: written.name, actionId: operationId };
      await note(store, place, { id: `${called}.begun`, time: now(), type: 'landfall.action.begun', data });
    }
    const change = await action.run(reach, { ...place, operationId }, written);
    changed({ verb: 'applied', object: `action ${written.name} (${written.kind})`, ...change });
    return { workloadId: place.workloadId, action: written.name, ...change };
  },
});

/** Those of a workload's actions, of the names that were done, that are no longer as they were left; in words. */
export const undoneActions = defineActivity({
  name: 'undoneActions',
  input: Workload.extend({ names: z.array(z.string()) }),
  output: z.array(z.string()),
  async effect({ store, ...reach }, { names, ...workload }) {
    const { place, begun, actions } = await plannedFor(store, workload);
    const found: string[] = [];
    for (const { written, action } of actions) {
      if (!names.includes(written.name)) continue;
      const done = { ...place, operationId: begun[written.name] ?? '' };
      const { is, wanted } = await action.look(reach, done, written);
      if (is !== wanted) found.push(`${written.name} (${written.kind}) is ${is} instead of ${wanted}`);
    }
    return found;
  },
});

/** Puts back what one action found. */
export const undoAction = defineActivity({
  name: 'undoAction',
  changes: 'what a cutover action names',
  input: Workload.extend({ index: z.int(), before: z.unknown() }),
  output: Nothing,
  async effect({ store, now, ...reach }, { before, ...asked }, { operationId: called, changed }) {
    const { place, written, action, begunAs } = await plannedAt(store, asked);
    if (action.remembered && begunAs === undefined) return null;
    const operationId = begunAs ?? called;
    const change = await action.undo(reach, { ...place, operationId }, written, before);
    if (change !== undefined)
      changed({ verb: 'restored', object: `action ${written.name} (${written.kind})`, ...change });
    const data = { name: written.name };
    if (action.remembered)
      await note(store, place, { id: `${called}.undone`, time: now(), type: 'landfall.action.undone', data });
    return null;
  },
});

/** Writes down what nobody could find out by looking. */
async function note(
  store: Store,
  { waveId, workloadId }: Place,
  event: Extract<PlatformEvent, { type: `landfall.action.${string}` }> extends infer E ? Omit<E, 'source'> : never,
): Promise<void> {
  await append(store, { waveId, workloadIds: [workloadId] }, [{ source: 'platform', ...event } as PlatformEvent]);
}
