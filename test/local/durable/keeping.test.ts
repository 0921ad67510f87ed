// What the engine keeps on disk, for how long, and whose version it is.
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DurableManagement } from '../../../local/durable/client.ts';
import { Engine, type EngineOptions } from '../../../local/durable/engine.ts';
import { migrate } from '../../../local/durable/schema.ts';
import { compareVersions, type Versions, versionMismatch } from '../../../local/durable/versions.ts';
import { VirtualClock } from '../../../local/durable/virtualClock.ts';
import { openDatabase } from '../../../local/sqlite.ts';
import { functionsOf, until } from './testEngine.ts';

const functions = await functionsOf();
const day = 86_400_000;

function open(options: Partial<EngineOptions> = {}) {
  const lines: string[] = [];
  const engine = new Engine({
    ...functions,
    database: openDatabase(':memory:'),
    log: (line) => lines.push(line),
    ...options,
  });
  engine.start();
  return { engine, lines, client: new DurableManagement(engine) };
}

test('instances that ended long ago are removed, others stay', async () => {
  const clock = new VirtualClock('2030-01-01T00:00:00Z');
  const { engine, client } = open({ clock, retention: 30 * day });
  await client.start('waitsForever', { instanceId: 'waiting' });
  await client.start('sequence', { instanceId: 'old' });
  await client.whenEnded('old');
  const passDays = (days: number) => {
    const end = clock.now() + days * day;
    while ((clock.next ?? end + 1) <= end) clock.jump();
  };
  passDays(29);
  await client.start('sequence', { instanceId: 'young' });
  await client.whenEnded('young');
  expect(client.status('old')?.runtimeStatus).toBe('Completed');
  passDays(2);
  await until(() => client.status('old') === undefined, 'the old one is gone');
  expect(client.status('young')?.runtimeStatus).toBe('Completed');
  expect(client.status('waiting')?.runtimeStatus).toBe('Running');
  await engine.stop();
});

test('of instances that wait only so many are in memory, and the others go on all the same', async () => {
  const { engine, client } = open();
  const ids = Array.from({ length: 1300 }, (_, index) => `waiter-${index}`);
  await Promise.all(ids.map((id) => client.start('two', { instanceId: id })));
  await until(() => ids.every((id) => client.status(id)?.runtimeStatus === 'Running'), 'all have begun to wait');
  expect(engine.instances.size).toBeLessThanOrEqual(1000 + 128);
  expect(engine.instances.peek('waiter-0')).toBeUndefined();
  await client.raiseEvent('waiter-0', 'first', 'at last');
  expect((await client.whenEnded('waiter-0')).output).toEqual(['at last', 1]);
  expect(engine.instances.peek('waiter-0')).toBeUndefined();
  await engine.stop();
});

test('a database from before versions were counted is taken over, one of a later version refused', async () => {
  const database = openDatabase(':memory:');
  migrate(database);
  database.exec('PRAGMA user_version = 0');
  const { engine, client } = open({ database });
  await client.start('sequence', { instanceId: 'one' });
  expect((await client.whenEnded('one')).runtimeStatus).toBe('Completed');
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
  await engine.stop();
  const later = new DatabaseSync(':memory:');
  later.exec('PRAGMA user_version = 99');
  expect(() => migrate(later)).toThrow('version 99, written by a later Landfall; this one knows version 1');
});

test('histories of earlier versions, which said of each event what holds for all, are read and shown like new ones', async () => {
  const database = openDatabase(':memory:');
  const first = open({ database });
  await first.client.start('collects', { instanceId: 'old' });
  await first.client.raiseEvent('old', 'item', 1);
  await first.client.start('sequence', { instanceId: 'done' });
  await first.client.whenEnded('done');
  const countRows = database.prepare("SELECT count(*) AS rows FROM history WHERE instance = 'old'");
  await until(() => Number(countRows.get()?.['rows']) > 1, 'the event is in the history');
  const shown = first.client.status('done', { showHistory: true, showHistoryOutput: true });
  first.engine.halt();
  const rows = database.prepare('SELECT instance, seq, events FROM history').all();
  for (const { instance, seq, events } of rows) {
    const old = (JSON.parse(`[${String(events)}]`) as object[]).map((event) => ({
      EventId: -1,
      IsPlayed: false,
      ...event,
    }));
    const text = old.map((event) => JSON.stringify(event)).join(',');
    database
      .prepare('UPDATE history SET events = ? WHERE instance = ? AND seq = ?')
      .run(text, String(instance), Number(seq));
  }
  const { engine, client } = open({ database });
  expect(client.status('done', { showHistory: true, showHistoryOutput: true })).toEqual(shown);
  await client.raiseEvent('old', 'item', 2);
  await client.raiseEvent('old', 'item', 3);
  expect((await client.whenEnded('old')).output).toEqual([1, 2, 3]);
  await engine.stop();
});

test('an instance of a newer version waits for a host that knows it, and says so once', async () => {
  const database = openDatabase(':memory:');
  const versions: Versions = { default: '1.9', match: 'CurrentOrOlder', onMismatch: 'Reject' };
  const { engine, client, lines } = open({ database, versions });
  await client.start('two', { instanceId: 'newer', version: '1.10' });
  await client.start('sequence', { instanceId: 'mine' });
  expect((await client.whenEnded('mine')).runtimeStatus).toBe('Completed');
  await client.raiseEvent('newer', 'first', 'kept');
  await until(() => lines.length > 0, 'it is said');
  expect(client.status('newer')?.runtimeStatus).toBe('Pending');
  expect(lines).toEqual([expect.stringContaining('"newer" has the version "1.10"; this host has "1.9"')]);
  engine.halt();
  const later = open({ database, versions: { ...versions, default: '1.10' } });
  expect((await later.client.whenEnded('newer')).output).toEqual(['kept', 1]);
  await later.engine.stop();
});

test('with the failure strategy Fail an instance of another version ends as failed', async () => {
  const { engine, client } = open({ versions: { default: '2.0', match: 'Strict', onMismatch: 'Fail' } });
  await client.start('sequence', { instanceId: 'older', version: '1.0' });
  const { runtimeStatus, output } = await client.whenEnded('older');
  expect(runtimeStatus).toBe('Failed');
  expect(output).toContain('runs exactly this version (host.json, versionMatchStrategy Strict)');
  await engine.stop();
});

test('versions compare as numbers between dots, in one total order', () => {
  expect(['1.10.0', '2.0', '1.9', '', '1.10'].sort(compareVersions)).toEqual(['', '1.9', '1.10', '1.10.0', '2.0']);
  const version = fc.oneof(
    fc.array(fc.nat(20), { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.')),
    fc.constant(''),
  );
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareVersions(a, b)).toBe(compareVersions(b, a) === 0 ? 0 : -compareVersions(b, a));
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).not.toBe(1);
    }),
  );
});

test('a host without versions, or that matches none, runs everything', () => {
  const instance = { id: 'x', version: '9.9' } as Parameters<typeof versionMismatch>[1];
  expect(versionMismatch(undefined, instance)).toBeUndefined();
  expect(versionMismatch({ default: '1.0', match: 'None', onMismatch: 'Fail' }, instance)).toBeUndefined();
});
