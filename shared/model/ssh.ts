// How a source's operating system is reached, where the target appliance is to put an agent there.
import { z } from 'zod';
import { Id, ReachableHost } from './ids.ts';

const HostKey = z
  .string()
  .max(2000)
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+={0,2}$/,
    'is a line of /etc/ssh/ssh_host_*_key.pub without its comment, such as "ssh-ed25519 AAAA…"',
  );

export const SshAccess = z.strictObject({
  host: ReachableHost.optional().describe('where its SSH server answers; the host name if left out'),
  port: z.int().min(1).max(65_535).default(22),
  hostKeys: z.array(HostKey).min(1).max(8).describe('the public keys of this machine: any other is refused'),
  credential: Id.describe('a name in the setting LANDFALL_SSH_CREDENTIALS, which says as whom, and with what'),
});
export type SshAccess = z.infer<typeof SshAccess>;
