// Timer triggers: six-field NCRONTAB expressions (five fields mean second 0) or a time span, in UTC. The next run is
// remembered, so that a run missed while the host was down happens at once, marked past due. Runs never overlap.
import { Cron } from 'croner';
import { z } from 'zod';
import type { Binding, RegisteredFunction } from '../coreModule.ts';
import { TimeSpan } from '../hostJson.ts';
import type { TriggerContext } from './bindTriggers.ts';
import type { Trigger } from './trigger.ts';

const TimerBinding = z.looseObject({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});

const Remembered = z.object({ last: z.string(), next: z.string() });

// setTimeout cannot wait longer than this.
const longestDelay = 2 ** 31 - 1;
// The host itself keeps no monitor for schedules under a minute.
const monitoredFrom = 60_000;

export function timerTrigger(registered: RegisteredFunction, binding: Binding, context: TriggerContext): Trigger {
  const { name } = registered.metadata;
  const options = TimerBinding.parse(binding);
  const next = schedule(options.schedule, name);
  const stateName = `timer.${name}`;
  let timeout: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  let last = new Date(0);

  const run = async (due: Date, isPastDue: boolean) => {
    const now = new Date();
    last = now;
    const following = next(now);
    const timer = {
      isPastDue,
      schedule: { adjustForDST: true },
      scheduleStatus: { last: due.toISOString(), next: following.toISOString(), lastUpdated: now.toISOString() },
    };
    try {
      await context.invoker.invoke(registered, { data: { json: JSON.stringify(timer) } });
    } catch (error) {
      context.log.failed(name, 'timer', error);
    }
    if (options.useMonitor)
      await context.state.set(stateName, { last: now.toISOString(), next: following.toISOString() });
  };

  const arm = (due: Date) => {
    if (isStopped) return;
    const delay = due.getTime() - Date.now();
    timeout = setTimeout(
      () => {
        if (due.getTime() > Date.now()) return arm(due);
        running = run(due, false).finally(() => arm(next(new Date(Math.max(last.getTime(), due.getTime())))));
      },
      Math.min(Math.max(delay, 0), longestDelay),
    );
  };

  return {
    start() {
      const now = new Date();
      const remembered = Remembered.safeParse(context.state.get(stateName)).data;
      const missed = remembered && new Date(remembered.next);
      const isMonitored = next(next(now)).getTime() - next(now).getTime() >= monitoredFrom;
      const isPastDue = options.useMonitor && isMonitored && missed !== undefined && missed < now;
      if (isPastDue || options.runOnStartup)
        running = run(missed ?? now, isPastDue).finally(() => arm(next(new Date())));
      else arm(next(now));
    },
    async stop() {
      isStopped = true;
      clearTimeout(timeout);
      await running;
    },
  };
}

function schedule(text: string, name: string): (after: Date) => Date {
  if (/^(\d+\.)?\d+:\d+:\d+$/.test(text)) {
    const span = TimeSpan.parse(text);
    if (span <= 0) throw new Error(`Function "${name}": the schedule "${text}" must be longer than nothing.`);
    return (after) => new Date(after.getTime() + span);
  }
  const fields = text.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6)
    throw new Error(`Function "${name}": the schedule "${text}" needs five or six fields.`);
  let cron: Cron;
  try {
    cron = new Cron(text, { paused: true, timezone: 'Etc/UTC' });
  } catch (error) {
    throw new Error(`Function "${name}": the schedule "${text}" is not understood: ${String(error)}`, { cause: error });
  }
  return (after) => {
    const run = cron.nextRun(after);
    if (!run) throw new Error(`Function "${name}": the schedule "${text}" has no next run.`);
    return run;
  };
}
