// The run's folder: made anew each time, and never at the cost of somebody else's files or run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { endRecorded, startTimeOf } from '../harness/processes.ts';

const marker = 'landfall-run.json';
const Marker = z.object({ driver: z.int(), startTime: z.string() });

/** Ends what an earlier run left running there, removes what it left lying there, and makes the folder. */
export async function freshFolder(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, marker)))
      throw new Error(`${folder} was not made by a run of this example: choose another folder with --data`);
    const { driver, startTime } = Marker.parse(JSON.parse(readFileSync(join(folder, marker), 'utf8')));
    if (startTimeOf(driver) === startTime)
      throw new Error(
        `${folder} is in use by the run with pid ${driver}: stop it, or choose another folder with --data`,
      );
    await endRecorded(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mark = { driver: process.pid, startTime: startTimeOf(process.pid) };
  writeFileSync(join(folder, marker), `${JSON.stringify(mark)}\n`);
}
