// Whether a machine reaches addresses that it must not reach: asked from inside, by run command. bash opens the
// connections itself, so that nothing need be installed
// (https://www.gnu.org/software/bash/manual/html_node/Redirections.html); timeout ends what nobody answers with 124.
import { isIPv4 } from 'node:net';
import { terminal } from '../errors.ts';
import type { Reached } from '../model/probe.ts';

export interface Endpoint {
  /** An IPv4 address: a name would have to be resolved first, and that alone may be what fails. */
  host: string;
  port: number;
}

const secondsEach = 5;

/** One line for each address, which prints what went wrong and then `probe {index} {exit code}`. */
export function reachScript(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map(({ host, port }, index) => {
    // It becomes a line of a script that runs as root.
    if (!isIPv4(host) || !Number.isInteger(port))
      throw terminal('invalidInput', `"${host}:${port}" is no address.`, 'Name an IPv4 address and a port.');
    return `LC_ALL=C timeout ${secondsEach} bash -c '</dev/tcp/${host}/${port}' 2>&1; echo "probe ${index} $?"`;
  });
}

/** What the script's output says of each address. */
export function readReached(endpoints: readonly Endpoint[], output: string): Reached[] {
  const said = new Map<number, { code: number; text: string }>();
  let text: string[] = [];
  for (const line of output.split('\n')) {
    const [marks, index, code] = /^probe (\d+) (\d+)$/.exec(line.trim()) ?? [];
    if (marks === undefined) text.push(line.trim());
    else {
      said.set(Number(index), { code: Number(code), text: text.join(' ').trim() });
      text = [];
    }
  }
  return endpoints.map(({ host, port }, index): Reached => {
    const { code, text: why } = said.get(index) ?? { code: undefined, text: 'the machine said nothing about it' };
    return { seen: seenIn(code, why), detail: `${host}:${port}: ${why || `exit code ${code}`}`.slice(0, 500) };
  });
}

function seenIn(code: number | undefined, text: string): Reached['seen'] {
  if (code === 0) return 'open';
  if (code === 124) return 'silent';
  if (code !== 1) return 'notRun';
  if (/connection refused/i.test(text)) return 'refused';
  if (/no route to host|network is unreachable/i.test(text)) return 'unreachable';
  return /timed out/i.test(text) ? 'silent' : 'notRun';
}
