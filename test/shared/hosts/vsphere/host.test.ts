// The vSphere host against local/vcenter: a contract, as its author reads the references; no real vCenter was asked.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningVcenter, startVcenter } from '../../../../local/vcenter/server.ts';
import { MigrationError } from '../../../../shared/errors.ts';
import { Connections } from '../../../../shared/hosts/connections.ts';
import { createHosts } from '../../../../shared/hosts/hosts.ts';
import { source } from '../../../fakes/definitions.ts';

let vcenter: RunningVcenter;
let password: string | undefined;
const mebibyte = 2 ** 20;
const machine = (id: string, more: object = {}) => ({
  ...{
    id,
    name: id,
    disks: [{ key: 2000, label: 'Hard disk 1', capacity: 4 * mebibyte, file: `[ds] ${id}/${id}.vmdk` }],
  },
  ...{ nics: [{ key: 4000, label: 'Network adapter 1' }], ...more },
});
const sourceOf = (vm: string) =>
  source('db-01', {
    host: { kind: 'vsphere', connection: 'vc', vm },
    disks: [{ id: 'os', path: '/', sizeBytes: 4 * mebibyte, boot: true, atHost: '2000' }],
  });
const db = sourceOf('vm-1');
const connected = (more: object = {}) =>
  createHosts(
    Connections.parse({
      vc: { kind: 'vsphere', url: vcenter.endpoint, user: 'landfall', passwordSetting: 'VC_PASSWORD', ...more },
    }),
    (setting) => (setting === 'VC_PASSWORD' ? password : undefined),
  );
const hostOf = (of = db, more: object = {}) => connected(more).of(of)!;
const failureOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MigrationError);
  return (error as MigrationError).failure;
};
const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  while (!(await isTrue()));
};

beforeEach(async () => {
  password = 'p:ä ss"%';
  vcenter = await startVcenter({
    users: [
      { name: 'landfall', password },
      { name: 'reader', password, privileges: ['System.Read'] },
    ],
    hosts: [],
    changesPerAnswer: mebibyte,
    machines: [
      machine('vm-1', { changeTracking: true }),
      machine('vm-2', { tools: 'absent' }),
      machine('vm-3', { power: 'SUSPENDED' }),
      machine('vm-4'),
    ],
  });
});
afterEach(() => vcenter.stop());

describe('a virtual machine', () => {
  test('is described as vCenter has it, its disks by the ids of the inventory', async () => {
    const disks = [{ id: 'os', sizeBytes: 4 * mebibyte }];
    expect(await hostOf().inspect(db)).toEqual({ power: 'on', nicConnected: true, disks });
    const suspended = sourceOf('vm-3');
    expect(await hostOf(suspended).inspect(suspended)).toMatchObject({ power: 'on', nicConnected: false });
  });

  test('goes off when its guest is asked, and stays disconnected until it is connected again', async () => {
    const host = hostOf();
    await host.shutDown(db);
    await until(async () => (await host.inspect(db)).power === 'off');
    await host.shutDown(db);
    await host.powerOff(db);
    expect(await host.inspect(db)).toMatchObject({ power: 'off', nicConnected: true });
    await host.setNic(db, false);
    expect(await host.inspect(db)).toMatchObject({ nicConnected: false });
    await host.powerOn(db);
    await host.powerOn(db);
    expect(await host.inspect(db)).toMatchObject({ power: 'on', nicConnected: false });
    await host.setNic(db, true);
    await host.setNic(db, true);
    expect(await host.inspect(db)).toMatchObject({ power: 'on', nicConnected: true });
    await host.setNic(db, false);
    expect(await host.inspect(db)).toMatchObject({ power: 'on', nicConnected: false });
  });

  test('without VMware Tools cannot be asked, and its power is cut', async () => {
    const bare = sourceOf('vm-2');
    const host = hostOf(bare);
    await host.shutDown(bare);
    expect(await host.inspect(bare)).toMatchObject({ power: 'on' });
    await host.powerOff(bare);
    await host.powerOff(bare);
    expect(await host.inspect(bare)).toMatchObject({ power: 'off' });
  });
});

describe('a snapshot', () => {
  test('is found again by its name, names where it is read, and is removed alone', async () => {
    const { snapshots } = hostOf();
    const [os] = await snapshots!.take(db, 'one');
    expect(os).toMatchObject({
      id: 'os',
      at: {
        vddk: { vm: 'vm-1', snapshot: expect.stringMatching(/^snapshot-/) as string, file: '[ds] vm-1/vm-1.vmdk' },
      },
    });
    expect(await snapshots!.take(db, 'one')).toEqual([os]);
    await snapshots!.take(db, 'two');
    const own = vcenter.machine('vm-1');
    own.snapshots[0]!.children[0]!.description = 'somebody else’s';
    await snapshots!.release(db, 'one');
    await snapshots!.release(db, 'one');
    await snapshots!.release(db, 'two');
    expect(own.allSnapshots().map(({ name }) => name)).toEqual(['two']);
  });

  test('tells every area that has changed since an earlier one, whatever part of the disk an answer covers', async () => {
    const { snapshots } = hostOf();
    const own = vcenter.machine('vm-1');
    own.write(2000, 0, 65_536);
    const [first] = await snapshots!.take(db, 'first');
    expect(first?.changed).toBeUndefined();
    await snapshots!.release(db, 'first');
    own.write(2000, 3 * mebibyte, 65_536);
    own.write(2000, mebibyte, 4096);
    const [next] = await snapshots!.take(db, 'next', { os: first!.mark! });
    own.write(2000, 2 * mebibyte, 4096);
    expect(next?.changed).toEqual({
      areas: [
        { start: mebibyte, length: 4096 },
        { start: 3 * mebibyte, length: 65_536 },
      ],
    });
  });

  test('tells nothing of changes where vCenter does not track them', async () => {
    const plain = sourceOf('vm-4');
    const [os] = await hostOf(plain).snapshots!.take(plain, 'one', { os: 'x/1' });
    expect(os).toMatchObject({ id: 'os' });
    expect([os?.changed, os?.mark]).toEqual([undefined, undefined]);
  });
});

describe('a vCenter', () => {
  test('is logged in to once, and anew where a session has ended', async () => {
    const host = hostOf();
    await host.inspect(db);
    await host.inspect(db);
    expect(vcenter.requests.filter((request) => request === 'POST /api/session')).toHaveLength(1);
    vcenter.endSessions();
    await host.inspect(db);
    await host.snapshots!.take(db, 'one');
    vcenter.endSessions();
    await host.snapshots!.release(db, 'one');
    expect(vcenter.requests.filter((request) => request === 'POST /api/session')).toHaveLength(2);
  });

  test('that does not accept the user or is not allowed to is told, without the password', async () => {
    const refused = await failureOf(hostOf(db, { user: 'reader' }).powerOff(db));
    expect(refused).toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/VirtualMachine.Interact.PowerOff/) as string,
    });
    expect((await failureOf(hostOf(db, { user: 'reader' }).snapshots!.take(db, 'one'))).code).toBe('forbidden');
    password = 's3cret';
    const failure = await failureOf(hostOf().inspect(db));
    expect(failure).toMatchObject({ code: 'unauthenticated', kind: 'terminal' });
    expect(JSON.stringify(failure)).not.toMatch(/s3cret|landfall:|Basic/);
    expect((await failureOf(hostOf().snapshots!.take(db, 'one'))).code).toBe('unauthenticated');
    password = undefined;
    expect((await failureOf(hostOf().inspect(db))).message).toMatch(/VC_PASSWORD/);
  });

  test('without the machine fails for good, one that is away is tried again', async () => {
    const gone = sourceOf('vm-99');
    expect(await failureOf(hostOf(gone).inspect(gone))).toMatchObject({ code: 'sourceUnreachable', kind: 'terminal' });
    expect((await failureOf(hostOf(gone).snapshots!.take(gone, 'one'))).kind).toBe('terminal');
    const away = hostOf(db, { url: 'http://127.0.0.1:1' });
    expect(await failureOf(away.inspect(db))).toMatchObject({ code: 'sourceUnreachable', kind: 'transient' });
  });

  test('gets its password over HTTPS only, unless it is on this computer', () => {
    const parse = (url: string) =>
      Connections.safeParse({ vc: { kind: 'vsphere', url, user: 'u', passwordSetting: 'VC_PASSWORD' } }).success;
    expect(parse('https://vc.corp.example')).toBe(true);
    expect(parse('http://127.0.0.1:8989')).toBe(true);
    expect(parse('http://vc.corp.example')).toBe(false);
    expect(parse('http://127.0.0.1.corp.example')).toBe(false);
  });
});
