// What a laboratory consists of: `<dir>/machines.json`, written by whoever sets up an example, read by the programs here.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { StartMode } from '../../shared/model/source.ts';

const Name = z.string().regex(/^[A-Za-z0-9@._-]{1,80}$/);

export const LabMachine = z.strictObject({
  id: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/),
  hostName: z.string().min(1),
  disks: z
    .array(z.strictObject({ id: Name, path: z.string().describe('a raw image; relative to the laboratory’s folder') }))
    .min(1)
    .describe('the first one is the system disk, on which the services write'),
  services: z
    .array(
      z.strictObject({
        name: Name,
        port: z.int().min(1).max(65535),
        startMode: StartMode.default('automatic').describe('until somebody changes it'),
      }),
    )
    .default([]),
  refusesShutdown: z.boolean().default(false).describe('ignores a request to shut down, as a hung guest does'),
});
export type LabMachine = z.infer<typeof LabMachine>;

/** The machines of a laboratory, with absolute disk paths. */
export function readMachines(labDir: string): LabMachine[] {
  const machines = z.array(LabMachine).parse(JSON.parse(readFileSync(join(labDir, 'machines.json'), 'utf8')));
  return machines.map((machine) => ({
    ...machine,
    disks: machine.disks.map(({ id, path }) => ({ id, path: resolve(labDir, path) })),
  }));
}

/** Where a machine keeps what belongs to it: start modes, snapshots, its agent, its control socket. */
export const machineDirOf = (labDir: string, id: string): string => join(labDir, 'machines', id);
