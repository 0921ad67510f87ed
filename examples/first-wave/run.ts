// The main job: one wave, from disks that don't exist yet to targets that are equal to their sources. It speaks to the
// app over HTTP only: as ada, who plans and operates, and as grace, who approves.
import { join } from 'node:path';
import { plan, readDefinitions, wallClock, writeDefinitions } from '../harness/definitions.ts';
import { Approver } from '../harness/approver.ts';
import { Stage } from '../harness/stage.ts';
import { hasEnded, watchWave } from '../harness/watch.ts';
import { freshFolder } from './folder.ts';
import { lookAround, whatIsWrong } from './hints.ts';
import { type Options, readOptions, usage } from './options.ts';
import { servers } from './servers.ts';
import {
  compareDisks,
  dnsChanges,
  hasPassed,
  recordsOf,
  resolveAll,
  type Summary,
  summarizeWorkloads,
} from './summary.ts';
import { jsonView } from './view/json.ts';
import { plainView } from './view/plain.ts';
import type { View } from './view/view.ts';

const thinkMs = 700;
const lookEveryMs = 300;
const zone = 'Europe/Amsterdam';
const openedBeforeMs = 5 * 60_000;

const options = readOptions(process.argv.slice(2), process.stdout.isTTY === true);
if (options === 'help') console.log(usage);
else if ('problem' in options) {
  console.error(`${options.problem}\n\n${usage}`);
  process.exitCode = 2;
} else process.exitCode = await main(options);

async function main(options: Options): Promise<number> {
  const began = Date.now();
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  const view = options.view === 'json' ? jsonView(write) : plainView(write);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('Interrupted: everything is stopped.'));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let stage: Stage | undefined;
  try {
    await freshFolder(options.folder);
    stage = await Stage.set(options.folder, servers, view.say);
    return (await migrate(stage, options, view, interrupted.signal, began)) ? 0 : 1;
  } catch (error) {
    view.end();
    view.complain(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    view.end();
    if (stage !== undefined && options.keep && !interrupted.signal.aborted) {
      for (const line of await lookAround(stage)) view.say(line);
      stage.leave();
    } else await stage?.strike();
  }
}

async function migrate(
  stage: Stage,
  { wave, folder, withinMs }: Options,
  view: View,
  signal: AbortSignal,
  began: number,
): Promise<boolean> {
  signal.throwIfAborted();
  const values = { ...stage.values(), 'window.start': wallClock(new Date(Date.now() - openedBeforeMs), zone) };
  const definitions = readDefinitions(wave, import.meta.dirname, values);
  writeDefinitions(join(folder, 'definitions'), definitions);
  const planned = await plan(stage.asAda, definitions);
  view.say(`ada has put environment, profile and ${definitions.sources.length} sources, and planned ${planned.waveId}`);
  const azure = stage.azure(planned.environment);
  const dnsBefore = await resolveAll(azure, recordsOf(planned));

  await stage.asAda.startWave(planned.waveId);
  view.say(`ada has started ${planned.waveId}`);
  const approver = new Approver(stage.asGrace, thinkMs, view.say);
  const last = await watchWave(stage.asAda, planned.waveId, {
    everyMs: lookEveryMs,
    withinMs,
    signal,
    async seen(snapshot) {
      view.show(snapshot);
      await approver.see(snapshot);
    },
    enough: ({ wave: { attentions } }) => attentions.length > 0,
  });
  if (!hasEnded(last)) {
    view.end();
    view.complain(whatIsWrong(last, stage));
    return false;
  }

  view.say('the wave has ended; both sides of every disk are read and hashed');
  const workloads = await summarizeWorkloads(last.wave, planned, (workload) => compareDisks(azure, workload));
  const passed = hasPassed(last.wave, workloads);
  const summary: Summary = {
    wave: planned.waveId,
    status: last.wave.status,
    reason: last.wave.reason,
    passed,
    elapsedMs: Date.now() - began,
    workloads,
    dns: dnsChanges(dnsBefore, await resolveAll(azure, recordsOf(planned))),
    look: [`definitions as sent, logs and state: ${folder}`, 'what happens in each step: docs/architecture.md'],
  };
  view.end();
  view.sum(summary);
  return passed;
}
