// The world of a scenario: the example's laboratory and definitions, smaller and faster, in a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Definitions } from '../../examples/harness/definitions.ts';
import { plan, readDefinitions, wallClock } from '../../examples/harness/definitions.ts';
import type { LabServer } from '../../examples/harness/lab.ts';
import { lastLines, repository } from '../../examples/harness/processes.ts';
import type { Stage } from '../../examples/harness/stage.ts';
import type { Snapshot } from '../../examples/harness/watch.ts';
import type { Environment, Profile } from '../../shared/model/environment.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { Source } from '../../shared/model/source.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';

const example = join(repository, 'examples', 'first-wave');
const zone = 'Europe/Amsterdam';

/** A folder that nobody else uses, and the end of everything that is started in it. */
export interface Place {
  folder: string;
  /** Ends every process that was started here, and removes what they left; unless asked to keep it for a look. */
  clear(): Promise<void>;
}

/** Makes a place. It is cleared also when this process is killed. */
export function newPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-scenario-'));
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = once(keeper, 'exit');
  return {
    folder,
    async clear() {
      keeper.stdin.end();
      await ended;
    },
  };
}

/** Puts the example's definitions, changed for a scenario, and stores the wave. */
export async function planWave(
  stage: Stage,
  servers: readonly LabServer[],
  change: (wave: WaveDefinition) => WaveDefinition,
  among: (definitions: Definitions) => Definitions = (definitions) => definitions,
): Promise<WavePlan> {
  return plan(stage.asAda, among(smaller(definitionsFor(stage.values()), servers, change)));
}

/** Lets plans run scripts in the environment. */
export function allowScripts(definitions: Definitions): Definitions {
  return {
    ...definitions,
    environment: asYaml({ ...(parse(definitions.environment.yaml) as Environment), scripts: true }),
  };
}

/** For the servers of the example that a scenario leaves out. */
const noPorts = Object.fromEntries(['db-01', 'web-01', 'jobs-01'].map((id) => [`port.${id}`, 1]));

/** The example's definitions with these values, and a window that is open. */
export function definitionsFor(values: Parameters<typeof readDefinitions>[2]): Definitions {
  const start = wallClock(new Date(Date.now() - 5 * 60_000), zone);
  return readDefinitions(join(example, 'wave.yaml'), example, { ...noPorts, ...values, 'window.start': start });
}

/** Only these servers, with the disks that they have here, at a pace that nobody has to watch. */
export function smaller(
  definitions: Definitions,
  servers: readonly LabServer[],
  change: (wave: WaveDefinition) => WaveDefinition,
): Definitions {
  const sizes = new Map(servers.map(({ id, diskMiB }) => [id, diskMiB * 2 ** 20]));
  const profile = parse(definitions.profile.yaml) as Profile;
  const wave = change(parse(definitions.wave.yaml) as WaveDefinition);
  return {
    environment: definitions.environment,
    profile: asYaml({
      ...profile,
      settings: { ...profile.settings, sync: { ...profile.settings.sync, cadence: 'PT1S', stallAfter: 'PT5S' } },
    }),
    sources: definitions.sources.flatMap(({ id, yaml }) => {
      const sizeBytes = sizes.get(id);
      if (sizeBytes === undefined) return [];
      const source = parse(yaml) as Source;
      return [asYaml({ ...source, disks: source.disks.map((disk) => ({ ...disk, sizeBytes })) })];
    }),
    wave: asYaml(wave),
  };
}

// JSON is YAML (https://yaml.org/spec/1.2.2/#chapter-1-introduction-to-yaml).
const asYaml = <T extends { id: string }>(value: T) => ({ id: value.id, yaml: JSON.stringify(value) });

/** For `enough` of a watch: a scenario in which a step asks people has failed, and says why. */
export function complainOfAttention(stage: Stage): (snapshot: Snapshot) => boolean {
  return ({ wave: { attentions } }) => {
    const [first] = attentions;
    if (first === undefined) return false;
    const log = lastLines(stage.folder, 'cloud', 20);
    throw new Error(`Step ${first.step} asks people: ${JSON.stringify(first.failure)}\n${log}`);
  };
}
