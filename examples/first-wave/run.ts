// The main job: one wave, from disks that don't exist yet to targets that are equal to their sources. It speaks to the
// app over HTTP only: as ada, who plans and operates, and as grace, who approves.
import { join } from 'node:path';
import { Approver } from '../harness/approver.ts';
import { plan, readDefinitions, wallClock, writeDefinitions } from '../harness/definitions.ts';
import { Stage } from '../harness/stage.ts';
import { hasEnded, watchWave } from '../harness/watch.ts';
import { freshFolder } from './folder.ts';
import { lookAround, whatIsWrong } from './hints.ts';
import { interruption } from './interruption.ts';
import { type Options, readOptions, usage } from './options.ts';
import { servers } from './servers.ts';
import { compareDisks, dnsChanges, hasPassed, recordsOf, resolveAll, summarizeWorkloads } from './summary.ts';
import { jsonView } from './view/json.ts';
import { liveView } from './view/live.ts';
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
  const people = new Map<string, string>();
  const view = viewOf(options, people);
  const signal = interruption((reason) => view.say(`${reason}: stopping everything`));
  let stage: Stage | undefined;
  try {
    await freshFolder(options.folder);
    stage = await Stage.set(options.folder, servers, view.say);
    for (const person of [stage.ada, stage.grace]) people.set(await person.subject(), person.name);
    return (await migrate(stage, options, view, signal, began)) ? 0 : 1;
  } catch (error) {
    view.end();
    view.complain(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    view.end();
    if (options.keep && !signal.aborted) stage?.leave();
    else await stage?.strike();
  }
}

function viewOf({ view }: Options, people: ReadonlyMap<string, string>): View {
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  switch (view) {
    case 'json':
      return jsonView(write);
    case 'plain':
      return plainView(write);
    case 'live':
      return liveView(process.stdout, people);
  }
}

async function migrate(
  stage: Stage,
  { wave, folder, withinMs, keep }: Options,
  view: View,
  interrupted: AbortSignal,
  began: number,
): Promise<boolean> {
  const values = { ...stage.values(), 'window.start': wallClock(new Date(Date.now() - openedBeforeMs), zone) };
  const definitions = readDefinitions(wave, import.meta.dirname, values);
  writeDefinitions(join(folder, 'definitions'), definitions);
  const planned = await plan(stage.asAda, definitions);
  view.say(`ada has put environment, profile and ${definitions.sources.length} sources, and planned ${planned.waveId}`);
  const azure = stage.azure(planned.environment);
  const records = recordsOf(planned);
  const dnsBefore = await resolveAll(azure, records);

  await stage.asAda.startWave(planned.waveId);
  view.say(`ada has started ${planned.waveId}`);
  const approver = new Approver(stage.asGrace, thinkMs, view.say);
  const last = await watchWave(stage.asAda, planned.waveId, {
    everyMs: lookEveryMs,
    withinMs,
    signal: AbortSignal.any([interrupted, stage.cloud.gone]),
    async seen(snapshot) {
      view.show(snapshot);
      await approver.see(snapshot);
    },
    enough: ({ wave: { attentions } }) => attentions.length > 0,
  });
  const around = keep ? await lookAround(stage, last.wave) : [];
  if (!hasEnded(last)) throw new Error([...whatIsWrong(last, stage), ...around].join('\n'));

  view.say('both sides of every disk are read and hashed');
  const workloads = await summarizeWorkloads(last.wave, planned, (workload) => compareDisks(azure, workload));
  const passed = hasPassed(last.wave, workloads);
  const dns = dnsChanges(dnsBefore, await resolveAll(azure, records));
  const elapsedMs = Date.now() - began;
  const { waveId, status, reason } = last.wave;
  const look = [
    `Definitions as sent, logs and state: ${folder}`,
    'Each step explained: docs/architecture.md',
    ...around,
  ];
  view.end();
  view.sum({ wave: waveId, status, reason, passed, elapsedMs, workloads, dns, look });
  return passed;
}
