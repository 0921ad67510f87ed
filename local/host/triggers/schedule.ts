// When a timer is due: NCRONTAB of six fields (five mean second 0) or a time span, as
// https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions describes them. croner
// knows the expressions, this file the changes of the clock: a schedule for certain times runs once where an hour comes
// twice and later where it is left out, one that repeats (*, - or / in seconds, minutes or hours) goes on evenly. So
// does CronSchedule.cs of https://github.com/Azure/azure-webjobs-sdk-extensions.
import { Cron } from 'croner';
import { Temporal } from 'temporal-polyfill';
import { TimeSpan } from '../hostJson.ts';

export interface Schedule {
  /** The first occurrence after a moment, both in milliseconds since 1970. */
  next(after: number): number;
  /** Occurrences closer than a minute are not remembered across restarts, as in Azure. */
  isMonitored(now: number): boolean;
  /** A moment as the real host writes it: with the offset of the time zone. */
  write(moment: number): string;
}

const minute = 60_000;
const day = 24 * 60 * minute;

/** Understands a schedule; the error names the function and what is wrong. */
export function readSchedule(text: string, timeZone: string, where: string): Schedule {
  const write = (moment: number) => zoned(moment, timeZone).toString({ timeZoneName: 'never' });
  if (text.includes(':')) {
    const span = TimeSpan.safeParse(text.trim()).data;
    if (!span)
      throw new Error(
        `${where}: the schedule "${text}" must be a time span longer than nothing (hh:mm:ss or d.hh:mm:ss).`,
      );
    return { next: (after) => after + span, isMonitored: () => span >= minute, write };
  }
  const next = cronSchedule(text, timeZone, where);
  return { next, isMonitored: (now) => next(next(now)) >= now + minute, write };
}

/** The zone of all schedules: `WEBSITE_TIME_ZONE`, else UTC. */
export function readTimeZone(setting: string | undefined): string {
  if (!setting) return 'UTC';
  try {
    return zoned(0, setting).timeZoneId;
  } catch (error) {
    const wayOut = 'Write an IANA name such as Europe/Berlin; the names of Windows are for Windows plans.';
    throw new Error(`The setting WEBSITE_TIME_ZONE, "${setting}", is no time zone. ${wayOut}`, { cause: error });
  }
}

const zoned = (moment: number, timeZone: string) =>
  Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone);

function cronSchedule(text: string, timeZone: string, where: string): Schedule['next'] {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    throw new Error(`${where}: the schedule "${text}" needs five or six fields.`);
  const onTheWall = wallClock(text, fields.length === 6 ? fields : ['0', ...fields], where);
  if (timeZone === 'UTC') return onTheWall;
  const repeats = fields.slice(0, fields.length - 3).some((field) => /[*/-]/.test(field));
  return repeats ? evenly(onTheWall, timeZone) : atTimes(onTheWall, timeZone);
}

// croner reads more than NCRONTAB: L, W, #, ?, and 7 for Sunday.
const digits = /^[\d*,/-]+$/;
const ncrontab: Record<number, RegExp> = { 4: /^(?:[\d*,/-]|[a-z]{3,})+$/i, 5: /^(?:[0-6*,/-]|\/7|[a-z]{3,})+$/i };

/** Occurrences on a clock that never changes; times of day are read as if they were UTC. */
function wallClock(text: string, fields: string[], where: string): Schedule['next'] {
  let cron: Cron;
  try {
    const foreign = fields.find((field, index) => !(ncrontab[index] ?? digits).test(field));
    if (foreign) throw new Error(`"${foreign}" is not NCRONTAB`);
    // Both the day of the month and that of the week must match, and 5/15 means from 5 on in steps of 15.
    const options = { paused: true, timezone: 'Etc/UTC', domAndDow: true, sloppyRanges: true };
    cron = new Cron(fields.map((field, index) => (index > 3 ? shortNames(field) : field)).join(' '), options);
  } catch (error) {
    throw new Error(`${where}: the schedule "${text}" is not understood: ${String(error)}`, { cause: error });
  }
  const next = (after: number) => {
    const run = cron.nextRun(new Date(after));
    if (!run) throw new Error(`${where}: the schedule "${text}" has no next run.`);
    return run.getTime();
  };
  next(0);
  return next;
}

// NCRONTAB also takes whole names of months and days; croner only their first three letters.
const shortNames = (field: string) => field.replaceAll(/[a-z]{4,}/gi, (name) => name.slice(0, 3));

const wallOf = (time: Temporal.ZonedDateTime) => time.toPlainDateTime().toZonedDateTime('UTC').epochMilliseconds;

function atTimes(onTheWall: Schedule['next'], timeZone: string): Schedule['next'] {
  return (after) => {
    let late = Number.POSITIVE_INFINITY;
    // From a day before: a time that was left out may still be to come.
    for (let wall = wallOf(zoned(after, timeZone)) - day; ; ) {
      wall = onTheWall(wall);
      const plain = zoned(wall, 'UTC').toPlainDateTime();
      const time = plain.toZonedDateTime(timeZone, { disambiguation: 'compatible' });
      const moment = time.epochMilliseconds;
      // In the second pass of an hour that comes twice, the first has been served.
      if (moment <= after) continue;
      if (time.toPlainDateTime().equals(plain)) return Math.min(moment, late);
      late = Math.min(moment, late);
    }
  };
}

function evenly(onTheWall: Schedule['next'], timeZone: string): Schedule['next'] {
  return (after) => {
    let time = zoned(after, timeZone);
    for (let wall = wallOf(time); ; ) {
      const moment = onTheWall(wall) - time.offsetNanoseconds / 1e6;
      const change = time.getTimeZoneTransition('next');
      if (!change || moment < change.epochMilliseconds) return moment;
      // On the other side of the change; its first moment counts.
      time = change;
      wall = wallOf(change) - 1;
    }
  };
}
