// Many seeds of small waves, on all cores. `LANDFALL_SEEDS` says how many, `LANDFALL_FIRST_SEED` where to begin.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { allKinds } from '../rehearsal/story/kinds.ts';

const count = Number(process.env['LANDFALL_SEEDS'] ?? 100_000);
const first = Number(process.env['LANDFALL_FIRST_SEED'] ?? 1_000);
const processes = Math.min(availableParallelism(), count);
const reportEvery = 5_000;
// A seed's garbage is young: a wide nursery saves an eighth of the time.
const flags = ['--max-semi-space-size=64'];

interface Line {
  told?: number;
  ends?: Record<string, number>;
  kinds?: Record<string, number>;
  seed?: number;
  findings?: { invariant: string; what: string }[];
}

test(`${count} seeds keep every invariant at every transition, restore every before-state and end legally`, async () => {
  const ends = new Map<string, number>();
  const kinds = new Map<string, number>(allKinds.map((kind) => [kind, 0]));
  const broken: Line[] = [];
  const told = new Array<number>(processes).fill(0);
  let reported = 0;
  const began = performance.now();
  const hear = (index: number, line: Line): void => {
    if (line.seed !== undefined) broken.push(line);
    for (const [status, times] of Object.entries(line.ends ?? {})) ends.set(status, (ends.get(status) ?? 0) + times);
    for (const [kind, times] of Object.entries(line.kinds ?? {})) kinds.set(kind, (kinds.get(kind) ?? 0) + times);
    told[index] = line.told ?? told[index] ?? 0;
    const all = told.reduce((sum, each) => sum + each, 0);
    if (all < reported + reportEvery && all < count) return;
    reported = all;
    const minutes = ((performance.now() - began) / 60_000).toFixed(1);
    process.stdout.write(`${all} seeds in ${minutes} min, ${broken.length} broken\n`);
  };
  const share = Math.ceil(count / processes);
  const codes = await Promise.all(
    told.map((_, index) => {
      const from = first + index * share;
      const mine = Math.min(share, count - index * share);
      const child = spawn(
        process.execPath,
        [...flags, join(import.meta.dirname, 'tellSeeds.ts'), String(from), String(mine)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      createInterface(child.stdout).on('line', (line) => hear(index, JSON.parse(line) as Line));
      return new Promise<number | null>((resolve) => child.on('close', resolve));
    }),
  );
  const summary = [...ends].map(([status, times]) => `${status} ${times}`).join(', ');
  process.stdout.write(`waves ended: ${summary}\n`);
  const rarest = [...kinds].sort(([, a], [, b]) => a - b).slice(0, 12);
  process.stdout.write(`rarest: ${rarest.map(([kind, times]) => `${times} × ${kind}`).join('; ')}\n`);
  for (const { seed, findings } of broken) process.stdout.write(`seed ${seed}: ${JSON.stringify(findings)}\n`);
  expect(codes).toEqual(codes.map(() => 0));
  expect(broken).toEqual([]);
  // The rarest comes once in some thousands.
  const missing = allKinds.filter((kind) => kinds.get(kind) === 0);
  expect(missing.length, missing.join('; ')).toBeLessThanOrEqual(count >= 20_000 ? 0 : count >= 2_000 ? 3 : Infinity);
  // Six hours: on a busy machine 100,000 seeds take three.
}, 21_600_000);
