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

/** A vCenter of 8.0 U1 or later. */
const VsphereConnection = z.strictObject({
  kind: z.literal('vsphere'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https:') || /^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(`${url}/`), {
      message: 'a password goes there: use https',
    })
    .describe('https://{vCenter}'),
  user: z.string().min(1).max(200),
  passwordSetting: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{2,120}$/)
    .describe('the setting that holds the password; in Azure a Key Vault reference'),
  release: z
    .string()
    .regex(/^\d+(\.\d+){3}$/)
    .default('8.0.1.0')
    .describe('of the Virtual Infrastructure JSON API'),
});
export type VsphereConnection = z.infer<typeof VsphereConnection>;

export const Connections = z.record(
  Id,
  z.discriminatedUnion('kind', [QemuConnection, LibvirtConnection, VsphereConnection]),
);
export type Connections = z.infer<typeof Connections>;
