// A server in QEMU is moved while it runs and writes: its clone boots for UAT, and after the cutover its target boots from the
// target disk, in another QEMU, with all that the source has written, and answers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Approver } from '../../examples/harness/approver.ts';
import { plan } from '../../examples/harness/definitions.ts';
import { Stage } from '../../examples/harness/stage.ts';
import { type Snapshot, watchWave } from '../../examples/harness/watch.ts';
import { createHosts } from '../../shared/hosts/hosts.ts';
import { withQmp } from '../../shared/hosts/qemu/qmp.ts';
import { freePort, run } from '../appliance/nbd/servers.ts';
import { historyOf } from '../scenarios/history.ts';
import { complainOfAttention, definitionsFor, newPlace, smaller } from '../scenarios/world.ts';
import { stopQemu } from '../shared/hosts/qemu/process.ts';
import { serverOf, targetUuid, waveOf, writeResources } from './boot/definitions.ts';
import { askGuest, lookFor, type State, start, startSource } from './boot/emulator.ts';
import { makeServerDisk } from './boot/guestDisk.ts';

const sourceUuid = '11111111-2222-4333-8444-555555555555';
const Status = z.looseObject({ status: z.string() });
const journalIn = (disk: string): string =>
  run('debugfs', '-R', 'cat /var/lib/journal/journal', `${disk}?offset=${2 ** 20}`);

it('a server is replicated while it runs, cut over, boots from its target disk and answers', async () => {
  const place = newPlace();
  const took = stopwatch();
  const over = new AbortController();
  const folder = join(place.folder, 'source');
  mkdirSync(join(folder, 'scratch'), { recursive: true });
  const [sourcePort, targetPort] = [await freePort(), await freePort()];
  const disk = join(folder, 'web-01.img');
  makeServerDisk(disk, 'web-01', folder);
  const server = serverOf(folder, disk, sourcePort);
  writeFileSync(join(folder, 'source.json'), JSON.stringify(server));
  const connections = { cellar: { kind: 'qemu' as const, sockets: folder, scratch: join(folder, 'scratch') } };
  took('the disk is made');
  const machine = await startSource(folder, 'web-01', { disk, uuid: sourceUuid, port: sourcePort });
  took('the source has booted');
  try {
    const resources = writeResources(folder, targetPort);
    const env = { LANDFALL_HOSTS: JSON.stringify(connections) };
    const stage = await Stage.set(place.folder, [], undefined, env, resources);
    const definitions = smaller(definitionsFor(stage.values()), [], (example) => waveOf(example, targetPort));
    const sources = [{ id: server.id, yaml: JSON.stringify(server) }];
    const { waveId } = await plan(stage.asAda, { ...definitions, sources });
    await stage.asAda.startWave(waveId);
    const approver = new Approver(stage.asGrace, 0);
    const booted: State[] = [];
    const looking = lookFor(targetPort, over.signal, (state) => {
      booted.push(state);
      took(`booted from a target disk: ${JSON.stringify(state)}`);
    });
    const last = await watchWave(stage.asAda, waveId, {
      ...{ everyMs: 500, withinMs: 1_800_000, enough: complainOfAttention(stage) },
      seen: (snapshot) => approver.see(booted.length > 0 ? snapshot : withoutGate(snapshot, 'uat')),
    });
    took('the wave has ended');
    expect(last.wave.status).toBe('committed');
    await vi.waitUntil(() => booted.length > 1, 60_000);
    over.abort();
    await looking;

    // First the clone, then the target.
    expect(booted.map(({ host, machine: uuid }) => [host, uuid])).toEqual([
      ['web-01', targetUuid],
      ['web-01', targetUuid],
    ]);
    const host = createHosts(connections).of(server);
    expect(await host?.inspect(server)).toMatchObject({ power: 'off', nicConnected: false });

    // Every line that the source has written is on the target, in the order in which it was written, and it goes on there.
    const written = journalIn(disk);
    const lines = written.trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(lines.map((_, index) => String(index + 1)));
    expect(lines.length).toBeGreaterThan(20);
    const onTarget = (await askGuest(targetPort, 'journal?show')) ?? '';
    expect(onTarget.trim().startsWith(written.trim())).toBe(true);
    expect(onTarget.trim().split('\n').length).toBeGreaterThan(lines.length);

    const { events, state } = await historyOf(stage.asAda, waveId, 'web01');
    const checks = events.flatMap((event) => (event.type === 'landfall.check.completed' ? event.data.results : []));
    for (const name of ['the clone answers', 'the target answers'])
      expect(checks.findLast((check) => check.name === name)).toMatchObject({ passed: true });
    const syncs = events.flatMap((event) => (event.type === 'landfall.sync.completed' ? [event.data] : []));
    for (const { kind, disks } of syncs) {
      for (const { root, targetRoot, changesFrom } of disks) {
        expect(targetRoot).toBe(root);
        expect(changesFrom).toBe(kind === 'initial' ? 'manifest' : 'bitmap');
      }
    }
    expect(syncs.at(0)?.kind).toBe('initial');
    expect(syncs.at(-1)?.kind).toBe('final');
    expect(syncs.filter(({ kind }) => kind === 'delta').length).toBeGreaterThan(1);
    const { status } = await withQmp(join(folder, 'web-01.qmp'), (qmp) => qmp.execute('query-status', {}, Status));
    console.info(
      `the source’s machine is ${status}; ${lines.length} lines written on the source; syncs: ` +
        syncs
          .map(({ kind, disks }) => `${kind} ${disks[0]?.readBytes} read, ${disks[0]?.changedBytes} sent`)
          .join('; '),
      JSON.stringify(state.downtime),
    );
  } finally {
    over.abort();
    await stopQemu(machine);
    await place.clear();
  }
});

it('a disk that lacks a single file ends its machine without an answer: the proof can fail', async () => {
  const place = newPlace();
  const disk = join(place.folder, 'web-01.img');
  try {
    makeServerDisk(disk, 'web-01', place.folder);
    run('debugfs', '-w', '-R', 'rm /sbin/init', `${disk}?offset=${2 ** 20}`);
    // The kernel panics, and what would be a reboot ends the process.
    const emulated = { disk, uuid: sourceUuid, port: await freePort() };
    await expect(start(place.folder, emulated, ['-no-reboot'])).rejects.toThrow('the machine has ended with 0');
  } finally {
    await place.clear();
  }
});

/** Nobody signs off a clone before it was looked at. */
function withoutGate(snapshot: Snapshot, gate: string): Snapshot {
  const gates = snapshot.wave.gates.filter(({ name }) => name !== gate);
  return { ...snapshot, wave: { ...snapshot.wave, gates } };
}

/** Says how long things took, one after the other. */
function stopwatch(): (what: string) => void {
  const began = performance.now();
  return (what) => console.info(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
}
