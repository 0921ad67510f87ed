// What cuts windows: the events of blackout calendars and the freezes of environment and wave, as instants with a name.
import type { Calendar } from '../model/calendar.ts';
import type { Environment } from '../model/environment.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type { Blackout, Freeze, Opening } from '../model/window.ts';
import { msBetween } from './duration.ts';
import type { Problem } from './problems.ts';
import { instantOf, isNamedZone, isWallClock } from './wallClock.ts';

export interface BlackoutInput {
  definition: Pick<WaveDefinition, 'window' | 'calendars' | 'freezes'>;
  environment: Pick<Environment, 'id' | 'calendars' | 'freezes'> | undefined;
  /** Those that definition and environment name, as far as they exist. */
  calendars: readonly Calendar[];
}

/**
 * Everything that forbids a cutover in a period, ascending, or what about it cannot be. Where a clock shows the edge of a
 * freeze or an event twice or never, the longer period is meant.
 */
export function blackoutsIn(
  { definition, environment, calendars }: BlackoutInput,
  { opens, closes }: Opening,
): { blackouts: Blackout[]; problems: Problem[] } {
  const levels = [
    { ...definition, prefix: '', what: 'freeze' },
    ...(environment === undefined
      ? []
      : [{ ...environment, prefix: 'environment.', what: `freeze of environment "${environment.id}"` }]),
  ];
  const blackouts: Blackout[] = [];
  const problems: Problem[] = [];
  for (const { calendars: named, freezes, prefix, what } of levels) {
    freezes.forEach((freeze, index) => {
      const problem = freezeProblem(freeze, `${prefix}freezes[${index}]`);
      if (problem === undefined) blackouts.push(freezeOf(freeze, what));
      else problems.push(problem);
    });
    named.forEach((id, index) => {
      const path = `${prefix}calendars[${index}]`;
      const calendar = calendars.find((one) => one.id === id);
      if (calendar === undefined)
        problems.push(problem(path, id, `there is no calendar "${id}"`, 'import it first, or name another one'));
      else if (calendar.until < closes) problems.push(endsTooSoon(calendar, path, closes));
      else blackouts.push(...eventsOf(calendar, definition.window.zone));
    });
  }
  const inside = blackouts.filter((one) => one.opens < closes && one.closes > opens);
  return { blackouts: inside.sort((a, b) => msBetween(b.opens, a.opens)), problems };
}

function freezeOf({ from, to, zone, reason }: Freeze, what: string): Blackout {
  return { opens: instantOf(from, zone, 'earlier'), closes: instantOf(to, zone, 'later'), by: `${what}: ${reason}` };
}

function eventsOf({ id, events }: Calendar, zone: string): Blackout[] {
  const at = (text: string, which: 'earlier' | 'later') => (text.endsWith('Z') ? text : instantOf(text, zone, which));
  return events.map(({ event, from, to }) => ({
    opens: at(from, 'earlier'),
    closes: at(to, 'later'),
    by: `calendar "${id}": ${event}`,
  }));
}

function freezeProblem({ from, to, zone }: Freeze, path: string): Problem | undefined {
  if (!isNamedZone(zone))
    return problem(
      `${path}.zone`,
      zone,
      `"${zone}" is not an IANA time zone`,
      'use a name such as Europe/Amsterdam or UTC',
    );
  const broken = (['from', 'to'] as const).find((field) => !isWallClock({ from, to }[field]));
  if (broken !== undefined) {
    const value = { from, to }[broken];
    return problem(
      `${path}.${broken}`,
      value,
      `${value} is not a date and time that exists`,
      'use a local wall-clock time such as 2026-12-24T18:00',
    );
  }
  if (msBetween(instantOf(from, zone, 'earlier'), instantOf(to, zone, 'later')) > 0) return undefined;
  return problem(`${path}.to`, to, 'the freeze ends before it begins', 'let it end after it begins');
}

function endsTooSoon({ id, importedAt, until }: Calendar, path: string, closes: string): Problem {
  return problem(
    path,
    id,
    `calendar "${id}", imported at ${importedAt}, is known until ${until}, and the window closes at ${closes}`,
    'import it again, or choose an earlier window',
  );
}

function problem(path: string, value: unknown, message: string, fix: string): Problem {
  return { path, value, message, fix };
}
