// A wave goes as far as a step and is then told to withdraw: what it changed on the way, and what is left afterwards.
import { Approver } from '../../../examples/harness/approver.ts';
import type { Stage } from '../../../examples/harness/stage.ts';
import { type Snapshot, watchWave } from '../../../examples/harness/watch.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import { type Facets, facetsOf } from './facets.ts';

export interface Walk {
  status: string;
  before: Facets;
  after: Facets;
  /** By facet: every state that was seen on the way there. */
  seen: Record<string, Set<string>>;
}

/** Starts the wave, withdraws it as soon as `isFarEnough` says so, and waits for its end. */
export async function walkAndWithdraw(
  stage: Stage,
  plan: WavePlan,
  isFarEnough: (snapshot: Snapshot) => boolean,
): Promise<Walk> {
  const before = await facetsOf(stage, plan);
  const seen: Walk['seen'] = {};
  const approver = new Approver(stage.asGrace, 0);
  const told: Told = new Set();
  await stage.asAda.startWave(plan.waveId);
  const last = await watchWave(stage.asAda, plan.waveId, {
    everyMs: 100,
    withinMs: 240_000,
    async seen(snapshot) {
      const [first] = snapshot.wave.attentions;
      if (first !== undefined) throw new Error(`Step ${first.step} asks people: ${JSON.stringify(first.failure)}`);
      if (told.size === 0) {
        for (const [facet, lines] of Object.entries(await facetsOf(stage, plan)))
          seen[facet] = new Set(seen[facet]).add(JSON.stringify(lines));
        if (!isFarEnough(snapshot)) return approver.see(snapshot);
      }
      await withdraw(stage, snapshot, told);
    },
  });
  return { status: last.wave.status, before, after: await facetsOf(stage, plan), seen };
}

/** Who has told the wave to withdraw. */
type Told = Set<'operator' | 'approver'>;

/** Free until traffic has moved, and an operator's order; from then on an approver's, also where the first came too late. */
async function withdraw(stage: Stage, { wave }: Snapshot, told: Told): Promise<void> {
  const by = wave.groups.some(({ wayBack }) => wayBack.by === 'approver') ? 'approver' : 'operator';
  if (told.has(by)) return;
  const order = { to: 'withdrawn', reason: 'everything is to be as it was' } as const;
  try {
    if (by === 'approver') await stage.asGrace.rollback(wave.waveId, { ...order, acceptDataLoss: true });
    else await stage.asAda.rollback(wave.waveId, order);
    told.add(by);
  } catch (error) {
    // Traffic has moved since the look: the next one says whose order it takes.
    if (by === 'approver' || (error as { status?: number }).status !== 409) throw error;
  }
}
