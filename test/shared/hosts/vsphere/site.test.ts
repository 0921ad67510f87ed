// The life of a worker in vCenter, against local/vcenter.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningVcenter, startVcenter } from '../../../../local/vcenter/server.ts';
import { Connections } from '../../../../shared/hosts/connections.ts';
import { createHosts } from '../../../../shared/hosts/hosts.ts';
import { Site } from '../../../../shared/model/environment.ts';
import { source } from '../../../fakes/definitions.ts';

let vcenter: RunningVcenter;
let running: { name: string; bootstrap: string }[];
const site = Site.parse({
  id: 'cellar',
  host: {
    ...{ kind: 'vsphere', connection: 'vc', library: 'Landfall', item: 'worker' },
    ...{ resourcePool: 'resgroup-8', folder: 'group-v3', datastore: 'datastore-11' },
    networks: { 'VM Network': 'network-12' },
  },
});
const hostOf = (user = 'landfall') =>
  createHosts(
    Connections.parse({ vc: { kind: 'vsphere', url: vcenter.endpoint, user, passwordSetting: 'VC_PASSWORD' } }),
    () => 'p',
  ).ofSite(site)!;
const bootstrap = JSON.stringify({
  enrolUrl: 'https://landfall.example/api/appliances/enrol',
  token: 't',
  kind: 'worker',
});
const worker = 'worker-cellar';
const disks = [{ key: 2000, label: 'Hard disk 1', capacity: 2 ** 30, file: '[ds] worker/worker.vmdk' }];

beforeEach(async () => {
  running = [];
  vcenter = await startVcenter({
    users: [
      { name: 'landfall', password: 'p' },
      {
        name: 'half',
        password: 'p',
        privileges: ['System.Read', 'VApp.Import', 'Network.Assign', 'VirtualMachine.Interact.PowerOn'],
      },
    ],
    hosts: [
      { id: 'host-10', name: 'esx1.corp.example' },
      { id: 'host-11', name: 'esx2.corp.example' },
    ],
    machines: [{ id: 'vm-7', name: 'somebody', disks: [], nics: [] }],
    libraries: [
      { id: 'lib-1', name: 'landfall', items: [{ id: 'item-1', name: 'worker', networks: ['VM Network'], disks }] },
    ],
    resourcePools: ['resgroup-8'],
    folders: ['group-v3'],
    datastores: ['datastore-11'],
    networks: ['network-12'],
    images: {
      worker({ name, guestInfo }) {
        const own = {
          name,
          bootstrap: Buffer.from(guestInfo['guestinfo.landfall.bootstrap'] ?? '', 'base64').toString(),
        };
        running.push(own);
        return { stop: async () => void running.splice(running.indexOf(own), 1) };
      },
    },
  });
});
afterEach(() => vcenter.stop());

test('a worker is made of the library’s item, starts with its bootstrap, and is gone when it is removed', async () => {
  const host = hostOf();
  expect(await host.workerPresent(site, worker)).toBe(false);
  await host.deployWorker(site, worker, bootstrap);
  expect(running).toEqual([{ name: worker, bootstrap }]);
  expect(await host.workerPresent(site, worker)).toBe(true);
  await host.deployWorker(site, worker, bootstrap);
  expect(running).toHaveLength(1);
  await host.removeWorker(site, worker);
  await host.removeWorker(site, worker);
  expect(running).toEqual([]);
  expect(await host.workerPresent(site, worker)).toBe(false);
});

test('a worker that was made and never started is started, and not made twice', async () => {
  const host = hostOf();
  await host.deployWorker(site, worker, bootstrap);
  await vcenter.machineNamed(worker)?.stop();
  const deployed = () => vcenter.requests.filter((request) => request.includes('action=deploy')).length;
  await host.deployWorker(site, worker, bootstrap);
  expect(deployed()).toBe(1);
  expect(running).toHaveLength(1);
});

test('a machine of that name that is somebody else’s is neither used nor removed', async () => {
  await hostOf().deployWorker(site, worker, bootstrap);
  const theirs = vcenter.machineNamed(worker)!;
  theirs.annotation = 'ours since 2019';
  for (const work of [hostOf().removeWorker(site, worker), hostOf().deployWorker(site, worker, bootstrap)])
    await expect(work).rejects.toMatchObject({ failure: { code: 'conflict', kind: 'terminal' } });
  expect(theirs.power).toBe('POWERED_ON');
});

test('an item or library that is not there, or not the only one, is told', async () => {
  const of = (host: object) => ({ ...site, host: { ...site.host, ...host } }) as typeof site;
  for (const [wrong, says] of [
    [of({ item: 'nothing' }), /no item "nothing" in "Landfall"/],
    [of({ library: 'nowhere' }), /no library "nowhere"/],
  ] as const)
    await expect(hostOf().deployWorker(wrong, worker, bootstrap)).rejects.toMatchObject({
      failure: { code: 'invalidInput', message: expect.stringMatching(says) as string },
    });
});

test('what its user may not do is named, for each machine and for where the worker goes', async () => {
  const sources = [source('db-01', { host: { kind: 'vsphere', connection: 'vc', vm: 'vm-7' } }), source('app-01')];
  expect((await hostOf().allows!(site, sources)).map(({ name, passed }) => [name, passed])).toEqual([
    ['privileges on resgroup-8', true],
    ['privileges on datastore-11', true],
    ['privileges on network-12', true],
    ['privileges on vm-7', true],
  ]);
  const half = await hostOf('half').allows!(site, sources);
  expect(half.map(({ passed }) => passed)).toEqual([false, false, true, false]);
  expect(half[1]?.detail).toBe('without Datastore.AllocateSpace');
  expect(half[3]?.detail).toMatch(/^without VirtualMachine.Interact.PowerOff, .*DiskRandomRead$/);
});

test('its worker must get through to vCenter, and to every host on 443 and 902', async () => {
  expect((await hostOf().reach!(site)).map(({ host, port }) => `${host}:${port}`)).toEqual([
    new URL(vcenter.endpoint).host,
    'esx1.corp.example:443',
    'esx1.corp.example:902',
    'esx2.corp.example:443',
    'esx2.corp.example:902',
  ]);
});
