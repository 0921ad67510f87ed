// The last look at the window, before a step that cannot be taken back for free.
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { terminal } from '../shared/errors.ts';
import { windowPolicy, withinWindow } from './journal/overrun/activities.ts';

/** Passes while a window is open, or once people have said that the cutover goes on past it; else asks, or leads back. */
export function* requireWindow(ctx: Ctx, step: string, waveId: string, workloadIds: string[]): Flow<void> {
  const { may, onOverrun, reason } = yield* withinWindow.call(ctx, { waveId, workloadIds, step });
  if (may) return ctx.safePoint();
  if (onOverrun === 'rollBack')
    throw new Interrupted({ action: 'rollback', to: 'replicating', by: windowPolicy, reason });
  throw terminal('windowClosed', `${reason}.`, 'Retry to go on past the window, or roll back.');
}
