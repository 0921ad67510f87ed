// As whom, and with what, target appliances log in to sources: a setting of the app, by the names that sources use. Secrets
// stand in settings of their own, and leave the app in one answer only: to the appliance that has an agent to put or to take.
import { isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import { terminal } from '../errors.ts';
import { Id } from '../model/ids.ts';
import type { SshCredential } from '../protocol/agentAccess.ts';
import { listOf } from '../webhooks/addresses.ts';

const Setting = z.string().regex(/^[A-Z][A-Z0-9_]{2,120}$/, 'is the name of a setting, such as LANDFALL_SSH_OPS_KEY');

const Where = z
  .string()
  .min(1)
  .max(253)
  .refine((place) => !place.includes('/') || isNetwork(place), 'is no network: write it as 10.20.0.0/16 or fd12::/32');

const Credential = z
  .strictObject({
    user: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?$/),
    keySetting: Setting.optional().describe('the setting that holds an OpenSSH private key without a passphrase'),
    passwordSetting: Setting.optional(),
    hosts: z
      .array(Where)
      .min(1)
      .max(100)
      .describe('the machines that it is for: names, `*.corp.example`, addresses, networks as 10.20.0.0/16'),
  })
  .refine(
    ({ keySetting, passwordSetting }) => (keySetting === undefined) !== (passwordSetting === undefined),
    'needs either keySetting or passwordSetting',
  );

export const SshCredentials = z.record(Id, Credential);
export type SshCredentials = z.infer<typeof SshCredentials>;

function isNetwork(text: string): boolean {
  try {
    listOf([text]);
    return true;
  } catch {
    return false;
  }
}

/** What the app knows of SSH credentials. Both throw `invalidInput` where a credential is unknown or not for that host. */
export interface SshKeyring {
  /** Whether a credential may be used for a host. */
  require(name: string, host: string): void;
  /** The credential itself. */
  of(name: string, host: string): SshCredential;
}

/** `credentials` is the setting LANDFALL_SSH_CREDENTIALS; `secretOf` reads the settings that it names. */
export function createSshKeyring(
  credentials: SshCredentials = {},
  secretOf: (setting: string) => string | undefined = () => undefined,
): SshKeyring {
  const known = (name: string, host: string): SshCredentials[string] => {
    const found = credentials[name];
    if (found === undefined)
      throw terminal(
        'invalidInput',
        `The setting LANDFALL_SSH_CREDENTIALS has no credential "${name}".`,
        'Add it, or correct `agent.ssh.credential` of the source.',
      );
    if (found.hosts.some((place) => isFor(place, host))) return found;
    throw terminal(
      'invalidInput',
      `The credential "${name}" is not for ${host}: LANDFALL_SSH_CREDENTIALS says that it is for ${found.hosts.join(', ')}.`,
      'Use another credential for that source, or have whoever keeps the settings add the host.',
    );
  };
  const secret = (name: string, setting: string): string => {
    const found = secretOf(setting);
    if (found !== undefined && found !== '') return found;
    throw terminal(
      'invalidInput',
      `The credential "${name}" takes its secret from the setting ${setting}, which is not there.`,
      'Set it, in Azure as a Key Vault reference; then retry.',
    );
  };
  return {
    require: (name, host) => void known(name, host),
    of(name, host) {
      const { user, keySetting, passwordSetting } = known(name, host);
      if (keySetting !== undefined) return { user, privateKey: keyText(secret(name, keySetting)) };
      return { user, password: secret(name, passwordSetting ?? '') };
    },
  };
}

/** A setting on one line holds the key in Base64. */
function keyText(text: string): string {
  return text.trimStart().startsWith('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8');
}

function isFor(place: string, host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (place.startsWith('*.')) return isIP(bare) === 0 && bare.endsWith(place.slice(1).toLowerCase());
  if (isIP(bare) === 0 || !isNetwork(place)) return bare === place.toLowerCase();
  return listOf([place]).check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}
