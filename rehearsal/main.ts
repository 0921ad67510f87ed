// `landfall rehearse`: reads what is to be rehearsed, tells the seeds one after the other, and reports.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { Misuse } from './input/misuse.ts';
import { type Options, readOptions, usage } from './input/options.ts';
import { EventLog, recordedRun } from './latencies/recorded.ts';
import { rehearse } from './rehearse.ts';
import { reportOf, type SeedReport } from './report/report.ts';
import { tellAll, tellSeed } from './report/text.ts';
import { type Story, undisturbed } from './story/story.ts';
import { rehearsedApp } from './world/world.ts';

/** Writes what event logs show as a recorded run; a log's file is named after its workload. */
function record(to: string, files: readonly string[]): void {
  const logs = Object.fromEntries(files.map((file) => [basename(file, '.json'), readLog(file)]));
  writeFileSync(to, `${JSON.stringify(recordedRun(logs), null, 2)}\n`);
}

function readLog(file: string): z.infer<typeof EventLog> {
  try {
    return EventLog.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new Misuse(`${file} is no answer of GET /api/waves/{id}/workloads/{wid}/events.`);
  }
}

async function run({ rehearsed, seeds, first, quiet, failedSteps, latencies, json, again }: Options): Promise<number> {
  const app = await rehearsedApp();
  const reports: SeedReport[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const drawn = (story: Story): Story => (quiet || failedSteps.length > 0 ? undisturbed(story) : story);
    const change = (story: Story): Story => ({ ...drawn(story), keepsTime: true });
    const rehearsal = await rehearse(app, rehearsed, seed, { latencies, failedSteps, change });
    if (rehearsal.refused !== undefined) throw new Misuse(rehearsal.refused);
    reports.push(reportOf(rehearsal, again));
  }
  const [only] = reports;
  const text = reports.length === 1 && only !== undefined ? tellSeed(only) : tellAll(reports);
  process.stdout.write(json ? `${JSON.stringify(reports, null, 2)}\n` : text);
  return reports.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else if ('record' in options) record(options.record, options.files);
  else process.exitCode = await run(options);
} catch (error) {
  if (!(error instanceof Misuse)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
