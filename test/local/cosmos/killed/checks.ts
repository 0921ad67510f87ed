// What must hold of a server's data and change feeds after it was killed.
import { expect } from 'vitest';
import { z } from 'zod';
import type { Writer } from './writer.ts';

export const Stored = z.object({ id: z.string(), v: z.number(), waveId: z.string() });
export type Stored = z.infer<typeof Stored>;
const Version = z.object({
  current: Stored.optional(),
  previous: Stored.optional(),
  metadata: z.object({ operationType: z.string() }),
});
type Written = Pick<Writer, 'name' | 'acknowledged' | 'attempted'>;

/** What is there is what was acknowledged, with or without the one write that was under way; all of it or nothing. */
export function checkItems({ name, acknowledged, attempted }: Written, found: Stored[]): void {
  const there = Object.fromEntries(found.filter(({ waveId }) => waveId === name).map(({ id, v }) => [id, v]));
  expect([Object.fromEntries(acknowledged), Object.fromEntries(attempted)]).toContainEqual(there);
}

/** The last that the feed told of each item that is there is what it is. */
export function checkLatest(told: unknown[], found: Stored[]): void {
  const last = new Map(told.map((item) => Stored.parse(item)).map(({ waveId, id, v }) => [`${waveId}/${id}`, v]));
  for (const { waveId, id, v } of found) expect([id, last.get(`${waveId}/${id}`)]).toEqual([id, v]);
}

/** Every version from the first to the last was told once, in order, and so was the deletion. */
export function checkAll(told: unknown[], found: Stored[]): void {
  const versions = new Map<string, (number | 'deleted')[]>();
  for (const each of told) {
    const { current, previous, metadata } = Version.parse(each);
    const item = current ?? previous;
    const name = `${item?.waveId}/${item?.id}`;
    const version = metadata.operationType === 'delete' ? 'deleted' : (item?.v ?? 0);
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  const there = new Set(found.map(({ waveId, id }) => `${waveId}/${id}`));
  for (const [name, list] of versions) {
    const isDeleted = list.at(-1) === 'deleted';
    const upTo = Array.from({ length: list.length - (isDeleted ? 1 : 0) }, (_, at) => at + 1);
    expect([name, list]).toEqual([name, isDeleted ? [...upTo, 'deleted'] : upTo]);
    expect([name, there.has(name)]).toEqual([name, !isDeleted]);
  }
  for (const { waveId, id, v } of found) expect(versions.get(`${waveId}/${id}`)?.at(-1)).toBe(v);
}
