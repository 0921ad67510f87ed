// What the engine is wanted to reach, computed from the medians of one run.
import { names as delta } from './deltas.ts';
import { names } from './initial.ts';
import { nameOf } from './memory.ts';
import type { Row } from './row.ts';

interface Wanted {
  what: string;
  value: number | undefined;
  least?: number;
  most?: number;
}

/** One line for each wanted figure whose rows were measured. */
export function wantedLines(lookup: (what: string) => Row | undefined, gibs: readonly number[]): string[] {
  const seconds = (what: string): number | undefined => lookup(what)?.seconds;
  const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a / b;
  const [small, large] = [gibs[0], gibs.at(-1)].map((gib) => (gib === undefined ? undefined : lookup(nameOf(gib))));
  const ceilings = [seconds(names.read), seconds(names.write)].filter((value) => value !== undefined);
  const lower = ceilings.length === 2 ? Math.max(...ceilings) : undefined;
  const wanted: Wanted[] = [
    { what: 'speed of an initial copy / the lower ceiling', value: ratio(lower, seconds(names.engine)), least: 0.8 },
    {
      what: 'speed of an initial copy / both ceilings at once',
      value: ratio(seconds(names.both), seconds(names.engine)),
    },
    { what: 'speed of an initial copy / rsync', value: ratio(seconds(names.rsync), seconds(names.engine)), least: 1 },
    { what: 'speed of an initial copy / qemu-img', value: ratio(seconds(names.qemuImg), seconds(names.engine)) },
    {
      what: 'speed of an initial copy / without threads',
      value: ratio(seconds(names.engineHere), seconds(names.engine)),
    },
    {
      what: 'time of a delta of 1 % by bitmap / reading and hashing all of the same export',
      value: ratio(seconds(delta.contiguous), seconds(delta.manifest)),
      most: 0.03,
    },
    {
      what: 'time of a delta of 1 % by bitmap / reading and hashing all of a raw image',
      value: ratio(seconds(delta.contiguous), seconds(names.read)),
    },
    {
      what: `peak memory, ${gibs.at(-1)} GiB / ${gibs[0]} GiB`,
      value: ratio(large?.megabytes, small?.megabytes),
      most: 1.2,
    },
  ];
  return wanted.flatMap(({ what, value, least, most }) => {
    if (value === undefined) return [];
    const met = (least === undefined || value >= least) && (most === undefined || value <= most);
    const bound = least !== undefined ? `at least ${least}` : most !== undefined ? `at most ${most}` : undefined;
    const verdict = bound === undefined ? 'for comparison' : `wanted ${bound}: ${met ? 'met' : 'NOT MET'}`;
    return [`${what}: ${value.toFixed(3)} (${verdict})`];
  });
}
