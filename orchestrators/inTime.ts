// The last look at the window, right before what cannot be taken back for free.
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { MigrationError, terminal } from '../shared/errors.ts';
import { windowPolicy, withinWindow } from './journal/overrun/activities.ts';

/**
 * Begins a part of a cutover if what is left from there still ends inside the window, or people have said that it goes on
 * past it; else asks, or leads back, as the plan says. `begin` gets the latest safe start and fails with `windowClosed` if
 * that has passed when it would have its effect: then nothing has begun, and the window is looked at once more.
 */
export function* inTime<T>(
  ctx: Ctx,
  beginning: Parameters<typeof withinWindow.call>[1],
  begin: (notAfter: string | undefined) => Flow<T>,
): Flow<T> {
  for (let look = 1; ; look++) {
    const { may, notAfter, onOverrun, reason } = yield* withinWindow.call(ctx, beginning);
    if (!may && onOverrun === 'rollBack')
      throw new Interrupted({ action: 'rollback', to: 'replicating', by: windowPolicy, reason });
    if (!may) throw terminal('windowClosed', `${reason}.`, 'Retry to go on past the window, or roll back.');
    ctx.safePoint();
    try {
      return yield* begin(notAfter);
    } catch (error) {
      // The clocks of two hosts may differ; but not for ever.
      if (!isTooLate(error) || look === 3) throw error;
    }
  }
}

export function isTooLate(error: unknown): boolean {
  return error instanceof MigrationError && error.failure.code === 'windowClosed';
}
