// How fast a sync may send, by the calendar of the line that it uses.
import type { Environment, Link } from '../model/environment.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import type { Pace } from '../protocol/commands.ts';
import { weeklyAround } from './weekly.ts';

/** How fast a workload's sync may send: as the slowest of the lines from its site allows. */
export function paceFor(
  { source }: Pick<WorkloadPlan, 'source'>,
  environment: Pick<Environment, 'links'> | undefined,
  now: string,
): Pace | undefined {
  const links = environment?.links.filter(({ sites }) => sites.includes(source.site)) ?? [];
  return links.map((link) => paceOver(link, now)).reduce(slower, undefined);
}

/**
 * Its share of the line, from each instant on, for the week to come: what the line has, divided by how many syncs it
 * bears at once, so that all of them together never exceed it. Of hours that overlap the first one written counts.
 * Undefined where the line has no limit.
 */
function paceOver({ syncs = 1, megabitsPerSecond, hours }: Link, now: string): Pace | undefined {
  if (megabitsPerSecond === undefined && hours.length === 0) return undefined;
  const periods = hours.map((one) => ({ rate: one.megabitsPerSecond, openings: weeklyAround([one], now) }));
  const edges = periods.flatMap(({ openings }) => openings.flatMap(({ opens, closes }) => [opens, closes]));
  const instants = [now, ...edges.filter((edge) => edge > now)].sort();
  const pace: Pace = [];
  for (const from of instants) {
    const current = periods.find(({ openings }) =>
      openings.some(({ opens, closes }) => opens <= from && from < closes),
    );
    const rate = current?.rate ?? megabitsPerSecond;
    const bytesPerSecond = rate === undefined ? null : Math.max(1, Math.floor((rate * 125_000) / syncs));
    if (pace.length === 0 || pace.at(-1)?.bytesPerSecond !== bytesPerSecond) pace.push({ from, bytesPerSecond });
  }
  return pace.slice(0, paceAtMost);
}

const paceAtMost = 500;

/** The slower of two lines, at every instant. */
function slower(a: Pace | undefined, b: Pace | undefined): Pace | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const at = (pace: Pace, instant: string) => pace.findLast(({ from }) => from <= instant)?.bytesPerSecond ?? null;
  const instants = [...new Set([...a, ...b].map(({ from }) => from))].sort();
  return instants.map((from) => {
    const rates = [at(a, from), at(b, from)].filter((rate) => rate !== null);
    return { from, bytesPerSecond: rates.length === 0 ? null : Math.min(...rates) };
  });
}
