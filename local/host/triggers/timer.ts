// Timer triggers. The status of a schedule is remembered, so that a run missed while the host was down happens at the
// start, marked past due, and once; that one host at a time works on the state makes each timer a singleton. The rules
// are those of TimerListener.cs and ScheduleMonitor.cs in https://github.com/Azure/azure-webjobs-sdk-extensions.
import { z } from 'zod';
import { systemClock } from '../../durable/clock.ts';
import type { Binding, RegisteredFunction } from '../coreModule.ts';
import { invokeWithRetry, retryPolicyOf } from '../retry.ts';
import type { TriggerContext } from './bindTriggers.ts';
import { readSchedule, readTimeZone } from './schedule.ts';
import type { Trigger } from './trigger.ts';

const TimerBinding = z.looseObject({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});

/** `last` is missing until the first run; `lastUpdated` is what `next` was reckoned from then. */
const Status = z.object({ last: z.string().optional(), next: z.string(), lastUpdated: z.string().optional() });
type Status = z.output<typeof Status>;

// What .NET writes for a date that was never set.
const never = '0001-01-01T00:00:00+00:00';

export function timerTrigger(registered: RegisteredFunction, binding: Binding, context: TriggerContext): Trigger {
  const { name } = registered.metadata;
  const { clock = systemClock } = context;
  const options = TimerBinding.parse(binding);
  const timeZone = readTimeZone(context.settings['WEBSITE_TIME_ZONE']);
  const schedule = readSchedule(options.schedule, timeZone, `Function "${name}"`);
  const policy = retryPolicyOf(registered, context.hostJson);
  const isMonitored = options.useMonitor && schedule.isMonitored(clock.now());
  const stateName = `timer.${name}`;
  const stopping = new AbortController();
  let disarm = () => {};
  let running: Promise<void> = Promise.resolve();
  let status: Status;

  const run = async (isPastDue: boolean, isDue: boolean) => {
    const started = clock.now();
    const { last = never, next, lastUpdated = never } = status;
    const timer = {
      isPastDue,
      schedule: { adjustForDST: true },
      // The status is that of the scheduler: its next occurrence is the one that runs now.
      scheduleStatus: isMonitored ? { last, next, lastUpdated } : null,
    };
    const request = { data: { json: JSON.stringify(timer) } };
    const { signal } = stopping;
    const outcome = await invokeWithRetry(context, registered, request, { policy, trigger: 'timer', signal });
    // A run that stopped between two attempts is past due when the host starts again.
    if (outcome === 'stopped') return;
    const from = isDue ? Math.max(started, Date.parse(next)) : started;
    const at = schedule.write(from);
    status = { last: at, next: schedule.write(schedule.next(from)), lastUpdated: at };
    if (isMonitored) await context.state.set(stateName, status);
  };

  const begin = (isPastDue: boolean, isDue: boolean) => {
    running = run(isPastDue, isDue)
      .catch((error: unknown) => context.log.failed(name, 'timer', error))
      .finally(arm);
  };
  const arm = () => {
    if (!stopping.signal.aborted) disarm = clock.at(Date.parse(status.next), () => begin(false, true));
  };

  return {
    async start() {
      const now = clock.now();
      const known = isMonitored ? Status.safeParse(context.state.get(stateName)).data : undefined;
      status = current(known, schedule.next, schedule.write, now);
      const isChanged = isMonitored && status.next !== known?.next;
      if (isChanged)
        await context.state.set(stateName, { ...status, lastUpdated: status.lastUpdated ?? schedule.write(now) });
      const isPastDue = known !== undefined && Date.parse(status.next) < now;
      if (isPastDue || options.runOnStartup) begin(isPastDue, false);
      else arm();
    },
    async stop() {
      stopping.abort();
      disarm();
      await running;
    },
  };
}

/** The remembered status, or a new one when there is none or the schedule is another since. */
function current(
  known: Status | undefined,
  next: (after: number) => number,
  write: (moment: number) => string,
  now: number,
): Status {
  if (!known) return { next: write(next(now)) };
  const from = Date.parse(known.last ?? known.lastUpdated ?? write(now));
  const expected = next(from);
  if (expected === Date.parse(known.next)) return known;
  // A new schedule owes nothing for the time before it was set.
  return expected < now
    ? { next: write(next(now)), lastUpdated: write(now) }
    : { next: write(expected), lastUpdated: write(from) };
}
