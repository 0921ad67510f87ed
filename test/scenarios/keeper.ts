// Ends what a scenario has started once its driver is gone, however that went: a program of its own, because a driver
// that is killed can't clean up.
//   node test/scenarios/keeper.ts <folder>      (until its standard input ends)
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { endRecorded } from '../../examples/harness/processes.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: keeper.ts <folder>');
process.stdin.resume();
await once(process.stdin, 'end');
await endRecorded(folder);
if (process.env['LANDFALL_KEEP_SCENARIOS'] === undefined) rmSync(folder, { recursive: true, force: true });
