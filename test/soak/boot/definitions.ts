// What is put into the inventory, the wave that moves it, and the Azure in which its target boots.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../../examples/harness/processes.ts';
import type { Source } from '../../../shared/model/source.ts';
import type { WaveDefinition } from '../../../shared/model/wave.ts';
import { emulator } from './emulator.ts';
import { guestDiskBytes } from './guestDisk.ts';

const target = '99999999-8888-4777-8666-555555555555';

/** A resources file like the laptop's, with a hypervisor that boots machines from their disks. */
export function writeResources(folder: string, port: number): string {
  const declared = JSON.parse(readFileSync(join(repository, 'infra', 'local.resources.json'), 'utf8')) as {
    arm: object;
  };
  const hypervisor = { command: emulator({ disk: '{disk}', uuid: target, port }) };
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'resources.json');
  writeFileSync(path, JSON.stringify({ ...declared, arm: { ...declared.arm, hypervisor } }));
  return path;
}

export const targetUuid = target;

/** The server: a machine of QEMU, with a service that is reached over HTTP. */
export function serverOf(folder: string, disk: string, port: number): Source {
  const tool = (name: string) => join(import.meta.dirname, `${name}.ts`);
  const order = (what: string) => [process.execPath, tool('order'), String(port), what];
  const snapshot = (what: string) => [process.execPath, tool('snapshot'), folder, what];
  return {
    ...{ id: 'web-01', hostName: 'web-01', platform: 'kvm', os: { family: 'linux', name: 'BusyBox' } },
    ...{ site: 'amsterdam', host: { kind: 'qemu', connection: 'cellar', machine: 'web-01' } },
    disks: [{ id: 'os', path: disk, sizeBytes: guestDiskBytes, boot: true }],
    nics: [{ id: 'eth0', address: '192.0.2.20' }],
    services: [{ name: 'journal', dependsOn: [], start: order('start'), stop: order('stop'), status: order('status') }],
    snapshot: { take: snapshot('take'), release: snapshot('release') },
    ...{ owner: 'customer-care', criticality: 'high' },
  };
}

/** Clone and target each boot, and must answer; nobody knows how long that takes in software emulation. */
export function waveOf(example: WaveDefinition, port: number): WaveDefinition {
  const patience = { tries: 10, tryEvery: 'PT20S' };
  const answers = { kind: 'http' as const, url: `http://127.0.0.1:${port}/`, expectStatus: 200 };
  const actions = example.groups
    .flatMap(({ workloads }) => workloads)
    .find(({ source }) => source === 'web-01')
    ?.settings?.cutover?.actions?.filter(({ kind }) => kind === 'dns');
  return {
    ...example,
    ...{ id: 'boot-proof', name: 'A server that boots from its target disk' },
    groups: [
      {
        ...{ id: 'web', dependsOn: [] },
        workloads: [
          {
            ...{ id: 'web01', source: 'web-01', method: 'agentless', dependsOn: [], target: { name: 'web-01' } },
            settings: {
              uat: { ...patience, checks: [{ ...answers, name: 'the clone answers' }] },
              cutover: { actions: actions ?? [] },
              validation: {
                ...patience,
                checks: [
                  { kind: 'boot', name: 'the target runs' },
                  { ...answers, name: 'the target answers' },
                ],
              },
            },
          },
        ],
      },
    ],
  };
}
