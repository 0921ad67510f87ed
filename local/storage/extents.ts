// Extents: which bytes of a blob lie in which layer. They never overlap. A layer's number rises with time, so it is also
// the generation of a page: what changed since a snapshot is what lies in a layer above the snapshot's. A cleared range
// keeps an extent without bytes, for the diff must know when it was cleared.
import type { Sql } from './sql.ts';

export interface Extent {
  start: number;
  /** Exclusive. */
  stop: number;
  layer: number;
  filled: 0 | 1;
}

export interface Range {
  start: number;
  stop: number;
}

/** Lays one extent over whatever was there, and joins it to equal neighbours. */
export function putExtent(sql: Sql, blob: number, extent: Extent): void {
  let { start, stop } = extent;
  if (start >= stop) return;
  const touching = [
    ...sql.all<Extent>(
      'SELECT start, stop, layer, filled FROM extents WHERE blob = ? AND start < ? ORDER BY start DESC LIMIT 1',
      blob,
      start,
    ),
    ...sql.all<Extent>(
      'SELECT start, stop, layer, filled FROM extents WHERE blob = ? AND start BETWEEN ? AND ? ORDER BY start',
      blob,
      start,
      stop,
    ),
  ];
  for (const old of touching) {
    if (old.stop < start) continue;
    const isEqual = old.layer === extent.layer && old.filled === extent.filled;
    if (!isEqual && (old.stop === start || old.start === stop)) continue;
    sql.run('DELETE FROM extents WHERE blob = ? AND start = ?', blob, old.start);
    if (isEqual) {
      start = Math.min(start, old.start);
      stop = Math.max(stop, old.stop);
      continue;
    }
    if (old.start < start) insert(sql, blob, { ...old, stop: start });
    if (old.stop > stop) insert(sql, blob, { ...old, start: stop });
  }
  insert(sql, blob, { ...extent, start, stop });
}

function insert(sql: Sql, blob: number, { start, stop, layer, filled }: Extent): void {
  sql.run(
    'INSERT INTO extents (blob, start, stop, layer, filled) VALUES (?, ?, ?, ?, ?)',
    blob,
    start,
    stop,
    layer,
    filled,
  );
}

/** The extents of a blob that meet `within`, clipped to it, in order. */
export function listExtents(sql: Sql, blob: number, within: Range): Extent[] {
  return sql
    .all<Extent>(
      `SELECT start, stop, layer, filled FROM extents WHERE blob = ?1 AND start < ?3 AND stop > ?2
         AND start >= coalesce((SELECT max(start) FROM extents WHERE blob = ?1 AND start <= ?2), 0) ORDER BY start`,
      blob,
      within.start,
      within.stop,
    )
    .map((extent) => ({ ...extent, ...clip(extent, within) }));
}

/** The ranges that hold pages. */
export function pageRanges(sql: Sql, blob: number, within: Range): Range[] {
  return join(listExtents(sql, blob, within).filter(({ filled }) => filled === 1));
}

/** What changed in `blob` since the layer of an earlier snapshot: ranges written, and ranges that had pages and have none. */
export function changedRanges(
  sql: Sql,
  blob: number,
  previous: { id: number; layer: number },
  within: Range,
): { pages: Range[]; clears: Range[] } {
  const changed = listExtents(sql, blob, within).filter(({ layer }) => layer > previous.layer);
  const cleared = join(changed.filter(({ filled }) => filled === 0));
  return {
    pages: join(changed.filter(({ filled }) => filled === 1)),
    clears: cleared.flatMap((range) => pageRanges(sql, previous.id, range)),
  };
}

function clip(range: Range, within: Range): Range {
  return { start: Math.max(range.start, within.start), stop: Math.min(range.stop, within.stop) };
}

function join(ranges: Range[]): Range[] {
  const joined: Range[] = [];
  for (const { start, stop } of ranges) {
    const last = joined.at(-1);
    if (last && last.stop === start) last.stop = stop;
    else joined.push({ start, stop });
  }
  return joined;
}
