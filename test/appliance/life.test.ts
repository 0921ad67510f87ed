import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applianceId, startWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.stop());

const describeSource = (operationId: string) => ({
  type: 'landfall.source.describe' as const,
  operationId,
  data: { waveId: 'wave', workloadId: 'web', disks: [{ diskId: 'os', path: world.bootstrap }], services: [] },
});

it('enrols with its own key, beats, and describes the source that it is asked about', async () => {
  const appliance = world.appliance();
  const beat = await world.event('landfall.appliance.heartbeat');
  expect(beat).toMatchObject({ source: applianceId, subject: applianceId, data: { kind: 'agent', runningSyncs: [] } });

  await world.command(describeSource('prepare-wave.web-1:describe'));
  const answer = await world.event('landfall.source.described');
  expect(answer).toMatchObject({ subject: 'wave/web', operationid: 'prepare-wave.web-1:describe' });
  expect(answer.data).toMatchObject({ hostName: 'web-01', disks: [{ id: 'os', readable: true }] });

  const identity = join(world.stateDir, 'identity.json');
  expect(statSync(identity).mode & 0o777).toBe(0o600);
  expect(statSync(world.stateDir).mode & 0o777).toBe(0o700);
  expect(await readFile(identity, 'utf8')).toContain('"d":');
  expect(await appliance.terminate()).toBe(0);
  await world.event('landfall.appliance.stopping');
  expect(appliance.lines.join('\n')).not.toMatch(/sig=[^…]|SharedAccessSignature s/);
});
