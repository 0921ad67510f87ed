import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { resolveWindow } from '../../shared/policy/window.ts';
import { Latencies } from '../latencies/latencies.ts';
import { latenciesOf, RecordedRun } from '../latencies/recorded.ts';
import type { Rehearsed } from '../rehearse.ts';
import type { FailedStep } from '../story/mischief.ts';
import { Misuse } from './misuse.ts';
import { readInventory, readValues, readWaves } from './readFiles.ts';
import { wrongFields } from './wrongFields.ts';

export const usage = `landfall rehearse <wave.yaml>… [options]

Runs the real orchestrators and policies in a modelled world on virtual time. Nothing is reached and nothing is kept.

  --seeds N               so many seeds, one after the other (1)
  --seed S                the first seed (1); with one seed the same story is told again
  --quiet                 nothing is drawn: no failures but those of --fail, people approve
  --fail step[:workload]  lets a step fail once, such as postCutover or stopServices:db01; may be repeated
  --inventory path        a file or folder with environments, profiles and sources; may be repeated (the wave's folder)
  --latencies file        how fast the world is: a profile, or what a recorded run has shown
  --values file           values for placeholders such as \${window.start} in the files: a map from name to value
  --set name=value        one such value; may be repeated, and goes before --values
  --start instant         the first moment (three hours before the first window opens)
  --json                  the report as JSON

\`landfall rehearse --record run.json db01.json…\` makes such a recorded run of event logs: the answers of
GET /api/waves/{id}/workloads/{wid}/events, each in a file that is named after its workload.

Ends with 0 when every story came to a legal end and broke no invariant, 1 when not, 2 when it could not be begun.
`;

export interface Options {
  rehearsed: Rehearsed;
  seeds: number;
  first: number;
  quiet: boolean;
  failedSteps: FailedStep[];
  latencies: Latencies;
  json: boolean;
  /** The arguments that tell one seed of this again. */
  again: string[];
}

export function readOptions(argv: string[]): Options | { record: string; files: string[] } | 'help' {
  const { values, positionals } = parsed(argv);
  if (values.help === true) return 'help';
  if (values.record !== undefined) return { record: values.record, files: positionals };
  if (positionals.length === 0) throw new Misuse('Name the wave to rehearse: landfall rehearse wave.yaml');
  const kept = values.values === undefined ? {} : readValues(values.values);
  const set = { ...kept, ...Object.fromEntries((values.set ?? []).map(assignment)) };
  const waves = readWaves(positionals, set);
  const inventory = readInventory(values.inventory ?? [...new Set(positionals.map((file) => dirname(file)))], set);
  const start = values.start ?? threeHoursBefore(waves);
  if (Number.isNaN(Date.parse(start))) throw new Misuse(`--start ${start} is no instant such as 2026-12-05T18:00:00Z.`);
  const { seeds: _seeds, seed: _seed, json: _json, ...same } = values;
  return {
    rehearsed: { inventory, waves, start: new Date(start).toISOString() },
    seeds: whole('--seeds', values.seeds ?? '1'),
    first: whole('--seed', values.seed ?? '1'),
    quiet: values.quiet === true,
    failedSteps: (values.fail ?? []).map((text) => {
      const [step = '', workloadId] = text.split(':');
      return { step, workloadId };
    }),
    latencies: values.latencies === undefined ? Latencies.parse({}) : readLatencies(values.latencies),
    json: values.json === true,
    again: [
      ...positionals,
      ...Object.entries(same).flatMap(([name, value]) =>
        [value].flat().flatMap((each) => (each === true ? [`--${name}`] : [`--${name}`, String(each)])),
      ),
    ],
  };
}

function parsed(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        seeds: { type: 'string' },
        seed: { type: 'string' },
        quiet: { type: 'boolean' },
        fail: { type: 'string', multiple: true },
        inventory: { type: 'string', multiple: true },
        latencies: { type: 'string' },
        set: { type: 'string', multiple: true },
        values: { type: 'string' },
        start: { type: 'string' },
        json: { type: 'boolean' },
        record: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Misuse(`${name} ${text} is no whole number.`);
  return Number(text);
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new Misuse(`--set ${text} has no "=": say --set name=value.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function threeHoursBefore(waves: Rehearsed['waves']): string {
  const opens = waves.map(({ id, window }) => {
    const resolved = resolveWindow(window);
    if ('problem' in resolved)
      throw new Misuse(`The window of ${id}: ${resolved.problem.message}; ${resolved.problem.fix}.`);
    return resolved.openings[0]?.opens;
  });
  const first = opens.filter((each) => each !== undefined).sort()[0];
  if (first === undefined) throw new Misuse('No window of these waves ever opens.');
  return new Date(Date.parse(first) - 3 * 3_600_000).toISOString();
}

function readLatencies(file: string): Latencies {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Misuse(`${file} cannot be read as YAML or JSON.`);
  }
  const recorded = RecordedRun.safeParse(content);
  if (recorded.success) return latenciesOf(recorded.data);
  const profile = Latencies.safeParse(content);
  if (profile.success) return profile.data;
  throw new Misuse(
    `${file} holds neither latencies nor a recorded run:\n${wrongFields(Latencies, content, profile.error)}`,
  );
}
