// Records that a batch will move are lowered in time before its window, so that nobody keeps an old answer when traffic
// moves; and they live as long as before again once it has committed, or does not cut over.
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { Subject } from '../shared/durable/step.ts';
import { sleepUntil } from '../shared/durable/waits.ts';
import type { OnFailure } from '../shared/model/failurePolicy.ts';
import { decide, type Question } from './attention.ts';
import { failureOf } from './saga.ts';
import { lowerTtl, planLowering, restoreTtl, whoseTtl } from './ttl/activities.ts';
import { untilDone } from './walkBack.ts';

const step = 'postCutover';

interface Batch extends Subject {
  opens: string;
}

/**
 * Waits until it is time for a window and lowers then. Runs beside other waiting and therefore asks nobody: what fails
 * here is tried again by `lowerNow`. Ends early where `leave` says so.
 */
export function* lowerInTime(ctx: Ctx, { waveId, workloadIds, opens }: Batch, leave: () => boolean): Flow<void> {
  try {
    const { due, early } = yield* planLowering.call(ctx, { waveId, workloadIds, opens });
    const reason = `lowered for another window than the one that opens at ${opens}`;
    for (const workloadId of early)
      yield* restoreTtl.call(ctx, { waveId, workloadId, after: 'back', reason, byHand: false });
    if (due === null) return;
    yield* sleepUntil(ctx, due, leave);
    if (!leave() && ctx.rest?.action !== 'pause') yield* lowerTtl.call(ctx, { waveId, workloadIds });
  } catch (error) {
    if (error instanceof Interrupted) throw error;
  }
}

/**
 * Sees to it that everything is lowered for a window, and returns when the last old answer runs out: null where there is
 * none. Asks people where that fails; they may go on with records as they are.
 */
export function* lowerNow(
  ctx: Ctx,
  { opens, ...subject }: Batch,
  onFailure: OnFailure,
  leave: () => boolean,
): Flow<string | null> {
  const turn = ctx.nextCount('ttl');
  for (let attempt = 1; ; attempt++) {
    try {
      const { due, clearAt } = yield* planLowering.call(ctx, { ...subject, opens });
      if (due === null) return clearAt;
      yield* sleepUntil(ctx, due, leave);
      return leave() ? null : yield* lowerTtl.call(ctx, subject);
    } catch (error) {
      const failure = failureOf(error, 'lowering times to live');
      const choices: Question['choices'] = ['retry', 'skip', 'rollback', 'cancel'];
      const question: Question = { step, failure, during: 'precheck', choices, skipNeeds: 'operator' };
      const operationId = ctx.operationId('ttl', turn, attempt, 'help');
      const answer = yield* decide(ctx, { subject, operationId, question }, onFailure);
      if (answer.choice === 'skip') return null;
    }
  }
}

/** Lets the records of workloads live as long as before again. Who has committed has no question of its own any more: the wave has. */
export function* ttlBack(
  ctx: Ctx,
  { waveId, workloadIds }: Subject,
  after: 'commit' | 'back',
  reason: string,
): Flow<void> {
  for (const workloadId of yield* whoseTtl.call(ctx, { waveId, workloadIds, after })) {
    const asked = { waveId, workloadIds: after === 'commit' ? [] : [workloadId] };
    const planned = after === 'commit' ? 'its plan says, and those of which it says nothing as long as ' : '';
    const todo = [`let the DNS records of ${workloadId} live as long as ${planned}before: its journal says how long`];
    const key = ['ttlBack', workloadId, ctx.nextCount(`ttlBack ${workloadId}`)];
    const restored = { waveId, workloadId, after, reason };
    const byHand = yield* untilDone(ctx, step, asked, key, todo, function* () {
      yield* restoreTtl.call(ctx, { ...restored, byHand: false });
    });
    if (byHand !== undefined) yield* restoreTtl.call(ctx, { ...restored, reason: byHand.reason, byHand: true });
  }
}
