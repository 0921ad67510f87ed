// The wave is withdrawn once after each step, and once while its clones are tested, which that step itself removes in the
// end; on the same stage: however far it came, everything is as it was.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Snapshot } from '../../examples/harness/watch.ts';
import { type StepName, stepNames } from '../../shared/model/steps.ts';
import { type Set as StageSet, setStage } from '../scenarios/undo/stage.ts';
import { walkAndWithdraw } from '../scenarios/undo/walk.ts';

let set: StageSet;
beforeAll(async () => {
  set = await setStage();
}, 120_000);
afterAll(() => set.place.clear(), 60_000);

/** Whether a step has completed in this attempt; the last one waits for the commit, which nobody gives here. */
const completed =
  (step: StepName) =>
  ({ wave }: Snapshot): boolean => {
    if (step === 'finalValidation') return wave.gates.some(({ name }) => name === 'commit');
    const isDone = (record: { status: string; startedAt: string } | undefined) =>
      record?.status === 'completed' && record.startedAt >= (wave.startedAt ?? '');
    const ofWorkloads = wave.groups.flatMap(({ workloads }) =>
      workloads.map((one) => ('steps' in one ? one.steps[step] : undefined)),
    );
    return isDone(wave.steps[step]) || ofWorkloads.some(isDone);
  };

const moments: [string, (snapshot: Snapshot) => boolean][] = [
  ...stepNames.map((step): [string, (snapshot: Snapshot) => boolean] => [`after ${step}`, completed(step)]),
  ['while the clones are tested', ({ wave }) => wave.gates.some(({ name }) => name === 'uat')],
];

it.each(moments)('%s', async (_moment, isFarEnough) => {
  const { status, before, after } = await walkAndWithdraw(set.stage, set.plan, isFarEnough);
  expect(status).toBe('rolledBack');
  expect(after).toEqual(before);
});
