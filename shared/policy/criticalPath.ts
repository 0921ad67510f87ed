// Which chain of things that wait for each other takes longest, and how much later each of the others may be.
import { type Node, tiersOf } from './order.ts';

export interface Timed extends Node {
  durationMs: number;
}

export interface CriticalPath {
  /** The longest chain, in order. */
  path: string[];
  lengthMs: number;
  /** When each may start at the earliest, counted from the start of the first, and how much later it may end without the whole taking longer. */
  of: Record<string, { earliestStartMs: number; slackMs: number }>;
}

/** The critical path of a graph without circles; dependencies on ids that are not among the nodes are ignored. */
export function criticalPath(nodes: readonly Timed[]): CriticalPath {
  const order = tiersOf(nodes);
  if ('cycle' in order) throw new Error(`these wait for each other: ${order.cycle.join(', ')}`);
  const ids = order.tiers.flat();
  const known = new Map(nodes.map((node) => [node.id, node]));
  const duration = (id: string): number => known.get(id)?.durationMs ?? 0;
  const before = new Map(ids.map((id) => [id, (known.get(id)?.dependsOn ?? []).filter((other) => known.has(other))]));
  const after = new Map(ids.map((id) => [id, ids.filter((other) => before.get(other)?.includes(id))]));
  const starts = new Map<string, number>();
  const longestAfter = new Map<string, number>();
  const latest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0);
  const ends = (id: string): number => (starts.get(id) ?? 0) + duration(id);
  const withRest = (id: string): number => duration(id) + (longestAfter.get(id) ?? 0);
  for (const id of ids) starts.set(id, latest((before.get(id) ?? []).map(ends)));
  for (const id of ids.toReversed()) longestAfter.set(id, latest((after.get(id) ?? []).map(withRest)));
  const lengthMs = latest(ids.map(ends));
  // Sums of fractions are never quite the same twice.
  const slackMs = (id: string): number => Math.max(0, lengthMs - (starts.get(id) ?? 0) - withRest(id));
  const last = (of: readonly string[]): string | undefined =>
    of.reduce<string | undefined>((most, id) => (most === undefined || ends(id) > ends(most) ? id : most), undefined);
  const path: string[] = [];
  for (let id = last(ids); id !== undefined; id = last(before.get(id) ?? [])) path.unshift(id);
  const of = ids.map((id) => [id, { earliestStartMs: starts.get(id) ?? 0, slackMs: slackMs(id) }] as const);
  return { path, lengthMs, of: Object.fromEntries(of) };
}
