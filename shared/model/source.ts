import { z } from 'zod';
import { Id, ReachableHost, ReachableUrl } from './ids.ts';
import { SshAccess } from './ssh.ts';
import { withUnit } from './systemd.ts';

export const Argv = z
  .array(z.string().min(1).max(1024))
  .min(1)
  .max(32)
  .describe('a program and its arguments; never a shell line');

/** Whether a service starts with its machine. */
export const StartMode = z.enum(['automatic', 'manual']);
export type StartMode = z.infer<typeof StartMode>;

/** A service of the source and the commands that the source itself names for it. `status` exits 0 when it runs, 3 when it is stopped. */
export const SourceService = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9@._-]{1,80}$/),
  dependsOn: z.array(z.string()).max(20).default([]),
  start: Argv,
  stop: Argv,
  status: Argv,
  startMode: z
    .strictObject({ show: Argv, automatic: Argv, manual: Argv })
    .optional()
    .describe(
      'commands that print `automatic` or `manual` and that set either; without them its start mode is left as it is',
    ),
});
export type SourceService = z.infer<typeof SourceService>;

/** As it is written: `systemd` names a unit in place of the commands, of which any may be written beside it. */
const WrittenService = z.preprocess((written, context) => {
  const found = withUnit(written);
  if ('service' in found) return found.service;
  context.addIssue({ code: 'custom', path: ['systemd'], message: found.problem });
  return z.NEVER;
}, SourceService);

const SourceDisk = z.strictObject({
  id: Id,
  path: z
    .string()
    .min(1)
    .max(1024)
    .describe('where the appliance finds the disk: a raw image, a block device or an NBD URI'),
  sizeBytes: z
    .int()
    .positive()
    .multipleOf(512)
    .max(8 * 2 ** 40, 'a staging page blob holds at most 8 TiB'),
  datastore: Id.optional().describe('where it lies: snapshots on one datastore share a budget'),
  boot: z.boolean().default(false),
  atHost: z
    .string()
    .regex(/^[\w.:-]{1,80}$/)
    .optional()
    .describe('what the host calls it, where that is not its id'),
});

/** What a hypervisor calls a machine. */
const MachineName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'use letters, digits and . _ -, beginning with a letter or digit');
const Connection = Id.describe('a name in the setting LANDFALL_HOSTS, which has the address and the credentials');

/** How the source's machine is reached for inspection, power and NIC. */
const HostConnection = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('lab'), endpoint: ReachableUrl, machine: Id })
    .describe('the laboratory hypervisor of the examples: each machine is a process'),
  z
    .strictObject({ kind: z.literal('qemu'), connection: Connection, machine: MachineName })
    .describe('a QEMU process without a manager, by its control socket'),
  z.strictObject({ kind: z.literal('libvirt'), connection: Connection, domain: MachineName }),
  z.strictObject({
    kind: z.literal('vsphere'),
    connection: Connection,
    vm: z.string().regex(/^vm-\d+$/, 'is vCenter’s id of the machine, such as vm-1042'),
  }),
  z
    .strictObject({
      kind: z.literal('byHand'),
      ports: z
        .array(z.int().min(1).max(65_535))
        .max(10)
        .default([])
        .describe('TCP ports that answer the target appliance while the machine is on and connected'),
    })
    .describe('no host to ask: people switch it, and confirm that at gates'),
]);

export const Source = z.strictObject({
  id: Id,
  hostName: ReachableHost,
  platform: z.enum(['vsphere', 'hyperv', 'kvm', 'physical', 'aws', 'gcp']),
  os: z.strictObject({ family: z.enum(['linux', 'windows']), name: z.string().max(80) }),
  site: Id.describe('the place whose worker can read its disks'),
  hypervisor: Id.optional().describe('the host that runs it: the disks read from one host at once share a budget'),
  host: HostConnection,
  disks: z.array(SourceDisk).min(1).max(64),
  nics: z.array(z.strictObject({ id: Id, address: ReachableHost })).max(16),
  services: z.array(WrittenService).max(100).default([]),
  snapshot: z
    .strictObject({ take: Argv, release: Argv })
    .optional()
    .describe(
      'commands that freeze a crash-consistent copy of a disk: the disk id is appended; `take` prints the path, or NBD URI, to read',
    ),
  quiesce: z
    .strictObject({
      freeze: Argv,
      thaw: Argv,
      withinSeconds: z
        .int()
        .min(1)
        .max(600)
        .default(30)
        .describe('they go on after that, whether all disks are frozen or not'),
    })
    .optional()
    .describe('commands that bring applications to rest before the disks are frozen, and let them go on afterwards'),
  agent: z
    .strictObject({ ssh: SshAccess })
    .optional()
    .describe('the target appliance puts the agent there over SSH; without it the host does, or people'),
  owner: z.string().min(1).max(120),
  criticality: z.enum(['low', 'medium', 'high']),
});
export type Source = z.infer<typeof Source>;
