// Tells seeds, one line of JSON for every hundred of them and for each that breaks something: `tellSeeds.ts first count`.
import { rehearse } from '../../rehearsal/rehearse.ts';
import { smallWaves } from '../../rehearsal/story/smallWaves.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';
import { kindsOf } from '../rehearsal/story/kinds.ts';

const [first, count] = process.argv.slice(2).map(Number) as [number, number];
// Every so many seeds are replayed from their histories at every episode.
const alwaysEvery = 500;
const app = await rehearsedApp();
let ends: Record<string, number> = {};
let kinds: Record<string, number> = {};
for (let seed = first; seed < first + count; seed++) {
  const replay = seed % alwaysEvery === 0 ? 'always' : 'live';
  const rehearsal = await rehearse(app, smallWaves(seed), seed, { replay });
  const { waves, findings } = rehearsal;
  for (const kind of kindsOf(rehearsal)) kinds[kind] = (kinds[kind] ?? 0) + 1;
  for (const status of Object.values(waves)) ends[status] = (ends[status] ?? 0) + 1;
  if (findings.length > 0) process.stdout.write(`${JSON.stringify({ seed, findings: findings.slice(0, 3) })}\n`);
  if ((seed - first + 1) % 100 !== 0 && seed !== first + count - 1) continue;
  process.stdout.write(`${JSON.stringify({ told: seed - first + 1, ends, kinds })}\n`);
  [ends, kinds] = [{}, {}];
}
