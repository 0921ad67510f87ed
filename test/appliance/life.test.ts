import { statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { applianceId, startWorld, type World } from './world.ts';

// Every test spawns processes, which take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

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

it('a restart keeps the identity, numbers go on rising, and a repeated command gets the same event again', async () => {
  const first = world.appliance();
  await world.command(describeSource('prepare-wave.web-1:describe'));
  const before = await world.event('landfall.source.described');
  await first.kill();

  world.appliance();
  world.received.length = 0;
  await world.command(describeSource('prepare-wave.web-1:describe'));
  const again = await world.event('landfall.source.described');
  expect(again).toEqual(before);
  await world.command(describeSource('prepare-wave.web-1:describe-2'));
  const next = await world.event('landfall.source.described', ({ id }) => id !== before.id);
  expect(next.sequence).toBeGreaterThan(before.sequence);
  expect(world.asked.filter((url) => url.endsWith('/enrol'))).toHaveLength(1);
});

it('an appliance that died between asking and storing enrols again with the same key', async () => {
  const first = world.appliance();
  await world.event('landfall.appliance.heartbeat');
  await first.kill();
  const path = join(world.stateDir, 'identity.json');
  const { privateKey } = JSON.parse(await readFile(path, 'utf8')) as { privateKey: object };
  await writeFile(path, JSON.stringify({ privateKey }));
  world.received.length = 0;
  world.settings.failing = 2;
  const second = world.appliance();
  await world.event('landfall.appliance.heartbeat');
  expect(second.lines.join('\n')).toContain('the platform answered 503');
});

it('a refused token ends the appliance with a code that no supervisor restarts', async () => {
  world.settings.token = 'another-token-0123456789';
  const appliance = world.appliance();
  expect((await appliance.exited)[0]).toBe(78);
  expect(appliance.lines.join('\n')).toContain('refused the enrolment (401)');
});

it('without its key the spent token is worth nothing', async () => {
  const first = world.appliance();
  await world.event('landfall.appliance.heartbeat');
  await first.kill();
  await rm(world.stateDir, { recursive: true });
  expect((await world.appliance().exited)[0]).toBe(78);
});

it('a revoked appliance does not come back', async () => {
  const first = world.appliance();
  await world.event('landfall.appliance.heartbeat');
  expect(await first.terminate()).toBe(0);
  await world.event('landfall.appliance.stopping');
  world.revoke();
  const second = world.appliance();
  expect((await second.exited)[0]).toBe(78);
  expect(second.lines.join('\n')).toContain('Enrol the appliance anew');
});

it('after a broker has restarted, commands are heard and answered again', async () => {
  world.appliance();
  await world.event('landfall.appliance.heartbeat');
  await world.command(describeSource('prepare-wave.web-1:one'));
  await world.event('landfall.source.described');
  await world.restartBus();
  await world.command(describeSource('prepare-wave.web-1:two'));
  await world.event('landfall.source.described', ({ operationid }) => operationid === 'prepare-wave.web-1:two');
});

it('tokens that expire are replaced in time', async () => {
  world.settings.busSeconds = 4;
  const appliance = world.appliance();
  // Each is replaced at half of its life: with the third one the first has expired.
  const replaced = () => world.asked.filter((url) => url.endsWith('/tokens')).length;
  await expect.poll(replaced, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
  await world.command(describeSource('prepare-wave.web-1:late'));
  await world.event('landfall.source.described');
  expect(appliance.lines.join('\n')).not.toContain('could not be sent');
});

it('what the platform did not sign is never run, and what it signed too long ago or wrongly is answered', async () => {
  world.appliance();
  await world.publish('not.a.command');
  await world.command(describeSource('prepare-wave.web-1:expired'), -10);
  const expired = await world.event('landfall.command.failed');
  expect(expired).toMatchObject({ subject: 'wave/web', data: { code: 'commandExpired' } });
  await world.command({ type: 'landfall.unheard.of', operationId: 'x:unheard', data: {} } as never);
  const unknown = await world.event('landfall.command.failed', ({ operationid }) => operationid === 'x:unheard');
  expect(unknown).toMatchObject({ subject: applianceId, data: { code: 'commandMalformed' } });
  expect(await world.deadLetters()).toEqual(['not.a.command']);
});

it('stops services by their own commands and runs checks', async () => {
  const file = join(world.folder, 'running');
  await writeFile(file, '');
  const sh = (script: string): string[] => ['/bin/sh', '-c', script];
  const web = {
    name: 'web',
    dependsOn: [],
    start: sh(`touch ${file}`),
    stop: sh(`rm ${file}`),
    status: sh(`test -e ${file} || exit 3`),
  };
  world.appliance();
  const workload = { waveId: 'wave', workloadId: 'web' };
  const data = { ...workload, services: [web] };
  await world.command({ type: 'landfall.services.stop', operationId: 'cutover-wave.web-1:stop', data });
  const stopped = await world.event('landfall.services.stopped');
  expect(stopped.data.services).toEqual([{ name: 'web', state: 'stopped', detail: '' }]);
  await expect(readFile(file)).rejects.toThrow('ENOENT');

  const broken = { ...workload, services: [{ ...web, start: ['/does/not/exist'] }] };
  await world.command({ type: 'landfall.services.start', operationId: 'cutover-wave.web-1:start', data: broken });
  const failed = await world.event('landfall.services.failed');
  expect(failed).toMatchObject({ operationid: 'cutover-wave.web-1:start', data: { code: 'serviceRefused' } });

  const checks = [
    { kind: 'tcp' as const, name: 'bus', host: 'localhost', port: 1, expect: 'closed' as const },
    { kind: 'boot' as const, name: 'boot' },
  ];
  await world.command({ type: 'landfall.check.run', operationId: 'g:check', data: { ...workload, checks } });
  const { data: found } = await world.event('landfall.check.completed');
  expect(found.results.map(({ passed }) => passed)).toEqual([true, false]);
});

it('an agent that it cannot put onto a machine is answered with the reason, and nothing is sent to the machine', async () => {
  world.appliance();
  const key = `ssh-ed25519 ${'A'.repeat(68)}`;
  const ssh = { host: '127.0.0.1', port: 1, hostKeys: [key] };
  const data = { waveId: 'wave', workloadId: 'web', agentId: 'agent-db-01', ssh };
  await world.command({ type: 'landfall.agent.remove', operationId: 'prepare-wave.web-1:remove', data });
  const failed = await world.event('landfall.agent.failed');
  expect(failed).toMatchObject({ subject: 'wave/web', operationid: 'prepare-wave.web-1:remove' });
  expect(failed.data).toMatchObject({ agentId: 'agent-db-01', code: 'platformRefused' });
  expect(failed.data.message).toContain('not asked to');
});
