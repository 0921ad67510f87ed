// What went wrong with a connection, from what OpenSSH says about it in the C locale (ssh.c, sshconnect.c, sshconnect2.c
// and kex.c of openssh-portable). What is not known here is passed on in its own words.
import { Problem } from '../problem.ts';

/** The machine in messages: its name, and where it is looked for. */
export interface Place {
  host: string;
  port: number;
}

interface Kind {
  code: string;
  says: RegExp;
  message: (place: string, found: RegExpExecArray) => string;
  suggestion: string;
}

/** In the order in which they are looked for: a key that cannot be read ends as a refused login, too. */
const kinds: readonly Kind[] = [
  {
    code: 'sshHostKeyDiffers',
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known for|Host key verification failed|no matching host key type found/,
    message: (place) =>
      `The SSH server of ${place} does not have a host key that the inventory names: nothing was sent to it`,
    suggestion:
      'Compare /etc/ssh/ssh_host_*_key.pub on the machine itself with `hostKeys` of the source. Correct the inventory if the machine was made anew; otherwise find out who answers there.',
  },
  {
    code: 'sshKeyUnusable',
    says: /Load key ".*": (.*)/,
    message: (place, [, why]) => `The private key for ${place} cannot be used: ${why}`,
    suggestion: 'The setting that the credential names must hold a whole OpenSSH private key without a passphrase.',
  },
  {
    code: 'sshAuthRefused',
    says: /Permission denied \(([^)]*)\)|Too many authentication failures/,
    message: (place, [, methods]) =>
      `The SSH server of ${place} refused the login${methods === undefined ? '' : `; it takes ${methods}`}`,
    suggestion:
      'Check user and key (or password) of the credential, `authorized_keys` of that user on the machine, and its sshd log.',
  },
  {
    code: 'sshRefused',
    says: /Connection refused/,
    message: (place) => `Nobody listens at ${place}`,
    suggestion: 'Check that the SSH server runs and on which port; a firewall may refuse in its place.',
  },
  {
    code: 'sshNoRoute',
    says: /No route to host|Network is unreachable/,
    message: (place) => `There is no route from the target appliance to ${place}`,
    suggestion: 'Check routes, peering or VPN, and whether the machine is on.',
  },
  {
    code: 'sshTimeout',
    says: /timed out/i,
    message: (place) => `${place} did not answer in time`,
    suggestion: 'Check that port and address are right and that no firewall on the way drops the packets.',
  },
  {
    code: 'sshNoCommonAlgorithm',
    says: /no matching (key exchange method|cipher|MAC) found/,
    message: (place, [, what]) => `The SSH server of ${place} and this OpenSSH have no ${what} in common`,
    suggestion: 'Update OpenSSH on the older side, or start the agent by hand.',
  },
  {
    code: 'sshLost',
    says: /Connection (closed|reset)|closed by remote host|Broken pipe|not connected|mux_client|Control socket/i,
    message: (place) => `The connection to ${place} was lost`,
    suggestion: 'Retry; if it stays so, look at the sshd log of the machine (it may limit or ban connections).',
  },
];

/** The problem behind what ssh printed. */
export function sshProblem({ host, port }: Place, said: string): Problem {
  const place = `${host}, port ${port}`;
  const text = said.trim().replaceAll(/\r/g, '');
  for (const { code, says, message, suggestion } of kinds) {
    const found = says.exec(text);
    if (found) return new Problem(code, `${message(place, found)}.${detailOf(code, text)}`, suggestion);
  }
  const why = text === '' ? 'it says nothing' : text.slice(-500);
  return new Problem('sshFailed', `ssh could not work on ${place}: ${why}`, 'Try the same with ssh by hand.');
}

function detailOf(code: string, text: string): string {
  if (code !== 'sshHostKeyDiffers') return '';
  const shown = /fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]+)/.exec(text);
  return shown ? ` It showed the ${shown[1]} key ${shown[2]}.` : '';
}

/** Whether trying again may help without anybody doing anything. */
export const mayPass: ReadonlySet<string> = new Set(['sshRefused', 'sshNoRoute', 'sshTimeout', 'sshLost']);
