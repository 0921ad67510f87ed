// Records the histories of the stories under the version that the code is: `node test/histories/record.ts`. Run it when
// a version is made; histories of versions that were released are never recorded again.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { codeVersion } from '../../shared/durable/version.ts';
import { World } from '../orchestrators/world/world.ts';
import { didOf, type History } from './history.ts';
import { stories } from './stories.ts';

const folder = join(import.meta.dirname, codeVersion);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const [name, story] of Object.entries(stories)) {
  const kept = new Map<string, History>();
  const world = await World.open();
  world.onEpisode = (instanceId, orchestrator, told, answered) =>
    kept.set(instanceId, { orchestrator, told: JSON.parse(told) as unknown, did: didOf(answered) });
  await story(world);
  const { status } = await world.ended();
  await world.close();
  writeFileSync(join(folder, `${name}.json.gz`), gzipSync(JSON.stringify(Object.fromEntries(kept))));
  console.info(`${name}: ${status}, ${kept.size} orchestrations`);
}
