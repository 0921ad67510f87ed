// How hosts are reached, by name: a setting of the app, for addresses and credentials never stand in what planners write.
import { z } from 'zod';
import { Id } from '../model/ids.ts';

const Directory = z
  .string()
  .regex(/^\/[\w./+@:-]{0,80}$/, 'is not an absolute path of letters, digits and . _ / + @ : -');

/** QEMU processes without a manager: one control socket (QMP) per machine in one folder of this computer. */
const QemuConnection = z.strictObject({
  kind: z.literal('qemu'),
  sockets: Directory.describe('folder with a Unix socket {machine}.qmp for each machine'),
  scratch: Directory.optional().describe('folder for what guests write while a snapshot is read; none: no snapshots'),
});
export type QemuConnection = z.infer<typeof QemuConnection>;

/** Whatever libvirt manages, through its own client `virsh`. */
const LibvirtConnection = z.strictObject({
  kind: z.literal('libvirt'),
  connect: z.string().min(1).max(500).describe('libvirt’s connection URI, such as qemu+tls://kvm1/system'),
  scratch: Directory.optional().describe('folder of the hypervisor for what guests write while a snapshot is read'),
});
export type LibvirtConnection = z.infer<typeof LibvirtConnection>;

export const Connections = z.record(Id, z.discriminatedUnion('kind', [QemuConnection, LibvirtConnection]));
export type Connections = z.infer<typeof Connections>;
