// Orchestration versions: who gets which, which host runs what, and one orchestrator for several of them
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning).
import { describe, expect, test } from 'vitest';
import { DurableManagement } from '../../../../local/durable/client.ts';
import { Engine } from '../../../../local/durable/engine.ts';
import type { Versions } from '../../../../local/durable/versions.ts';
import { VirtualClock } from '../../../../local/durable/virtualClock.ts';
import { openDatabase } from '../../../../local/sqlite.ts';
import { until } from '../testEngine.ts';
import { minutes } from './fixtures/office/world.ts';
import { begin, end, engine, functions, inEveryMode, pass, run } from './rehearsal.ts';

/** The defaults of host.json. */
const versionsOf = (version: string): Versions => ({ default: version, match: 'CurrentOrOlder', onMismatch: 'Reject' });
const oldSteps = ['validate', 'pay', 'ship'];
const newSteps = ['validate', 'discount', 'pay with discount', 'ship'];

inEveryMode('versions', (options) => {
  async function host(versions: Versions, log: string[] = []): Promise<void> {
    await end();
    begin({ ...options, versions, log: (line) => log.push(line) });
  }

  async function versionOf(instanceId: string, version?: string, input: unknown = {}): Promise<unknown> {
    await engine.start('version', { instanceId, input, ...(version !== undefined && { version }) });
    return (await engine.ended(instanceId)).output;
  }

  test('an instance gets the default version, or the one that it is started with', async () => {
    expect(await versionOf('before versions')).toBe('none');
    await host(versionsOf('2.0'));
    expect(await versionOf('new')).toBe('2.0');
    expect(await versionOf('old', '1.5')).toBe('1.5');
  });

  test('an instance keeps its version when it continues as new', async () => {
    await host(versionsOf('2.0'));
    expect(await versionOf('old', '1.5', { again: true })).toBe('1.5');
  });

  test("sub-orchestrations get the host's version, not their parent's, or the one that the parent names", async () => {
    await host(versionsOf('2.0'));
    await engine.start('versionsOfChildren', { instanceId: 'parent', version: '1.0' });
    expect((await engine.ended('parent')).output).toEqual(['2.0', '1.1', '1.2']);
  });

  test('one orchestrator carries old instances through their old steps and new ones through the new', async () => {
    await host(versionsOf('2.0'));
    await engine.start('order', { instanceId: 'old', version: '1.0' });
    await engine.start('order', { instanceId: 'new' });
    for (const id of ['old', 'new']) await engine.raiseEvent(id, 'go', null);
    expect((await engine.ended('old')).output).toEqual({ version: '1.0', steps: oldSteps });
    expect((await engine.ended('new')).output).toEqual({ version: '2.0', steps: newSteps });
  });

  test.each<[match: Versions['match'], host: string, instance: string, isRun: boolean]>([
    ['None', '1.0', '3.0', true],
    ['Strict', '2.0', '2.0', true],
    ['Strict', '2.0', '1.9', false],
    ['Strict', '2.0', '2.1', false],
    ['CurrentOrOlder', '2.0', '2.0', true],
    ['CurrentOrOlder', '10.0', '9.12', true],
    ['CurrentOrOlder', '9.12', '10.0', false],
    ['CurrentOrOlder', 'v2', 'V1-rc', true],
    ['CurrentOrOlder', 'v1', 'v2', false],
  ])('%s: a host of version %s meets an instance of version %s (runs it: %s)', async (match, version, own, isRun) => {
    const log: string[] = [];
    await host({ default: version, match, onMismatch: 'Reject' }, log);
    await engine.start('version', { instanceId: 'guest', version: own });
    await pass(5 * minutes);
    expect(engine.durable.status('guest')?.runtimeStatus).toBe(isRun ? 'Completed' : 'Pending');
    expect(log.length > 0).toBe(!isRun);
    await host({ default: version, match, onMismatch: 'Fail' });
    const { runtimeStatus, output } = await run('version', {}, own);
    expect(runtimeStatus).toBe(isRun ? 'Completed' : 'Failed');
    if (!isRun) expect(output).toContain(`has the version "${own}"; this host has "${version}"`);
  });
});

describe('a rolling deployment', () => {
  test('an old host leaves new instances, and their events, to the new host, which runs the old ones, too', async () => {
    const database = openDatabase(':memory:');
    const clock = new VirtualClock('2030-01-01T00:00:00Z');
    const log: string[] = [];
    const hostOf = (version?: string) => {
      const versions = version === undefined ? {} : { versions: versionsOf(version) };
      const host = new Engine({ ...functions, database, clock, ...versions, log: (line) => log.push(line) });
      host.start();
      return { host, client: new DurableManagement(host) };
    };
    const unversioned = hostOf();
    await unversioned.client.start('order', { instanceId: 'oldest' });
    const waits = (client: DurableManagement, id: string) => client.status(id)?.runtimeStatus === 'Running';
    await until(() => waits(unversioned.client, 'oldest'), 'it waits');
    unversioned.host.halt();

    const old = hostOf('1.0');
    await old.client.start('order', { instanceId: 'old' });
    await old.client.start('order', { instanceId: 'new', version: '2.0' });
    await old.client.raiseEvent('new', 'go', 'kept');
    await until(() => waits(old.client, 'old') && log.length > 0, 'the old one waits, the new one is left alone');
    expect(log).toEqual([expect.stringContaining('left alone. The orchestration "new" has the version "2.0"')]);
    expect(old.client.status('new')?.runtimeStatus).toBe('Pending');
    old.host.halt();

    const { host, client } = hostOf('2.0');
    for (const id of ['oldest', 'old']) await client.raiseEvent(id, 'go', null);
    expect((await client.whenEnded('oldest')).output).toEqual({ version: 'none', steps: oldSteps });
    expect((await client.whenEnded('old')).output).toEqual({ version: '1.0', steps: oldSteps });
    expect((await client.whenEnded('new')).output).toEqual({ version: '2.0', steps: newSteps });
    await host.stop();
  });
});
