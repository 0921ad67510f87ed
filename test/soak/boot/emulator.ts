// Machines that boot from their disk in QEMU, in software emulation, so that nothing is asked of the processor. Each answers
// HTTP on a port of this computer, and reaches nobody.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Emulated {
  disk: string;
  /** What the guest finds as its machine's identity. */
  uuid: string;
  port: number;
}

/** The command line; the guest's console is its output. */
export function emulator({ disk, uuid, port }: Emulated): [string, ...string[]] {
  return [
    'qemu-system-x86_64',
    ...['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '192', '-nodefaults', '-display', 'none'],
    ...['-serial', 'stdio', '-uuid', uuid],
    ...['-netdev', `user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:80`],
    ...['-device', 'virtio-net-pci,netdev=net0,id=eth0'],
    ...[
      '-blockdev',
      `driver=file,node-name=os-file,filename=${disk}`,
      '-blockdev',
      'driver=raw,node-name=os,file=os-file',
    ],
    ...['-device', 'virtio-blk-pci,drive=os'],
  ];
}

/** What a guest says of itself. */
export interface State {
  host: string;
  machine: string;
  boot: string;
  kernel: string;
  root: string;
  lines: string;
  last: string;
}

/** Starts a machine whose control socket is in the folder, and waits until it answers. */
export const startSource = (folder: string, name: string, emulated: Emulated): Promise<ChildProcess> =>
  start(folder, emulated, ['-no-shutdown', '-qmp', `unix:${join(folder, `${name}.qmp`)},server=on,wait=off`]);

/** Starts a machine and waits until it answers; throws when it ends instead. */
export async function start(folder: string, emulated: Emulated, more: string[]): Promise<ChildProcess> {
  const [program, ...rest] = emulator(emulated);
  // Whoever clears the place finds by this what was started in it.
  const env = { PATH: process.env['PATH'], LANDFALL_STATE_DIR: join(folder, 'machine') };
  const child = spawn(program, [...rest, ...more], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  while ((await stateAt(emulated.port)) === undefined) {
    if (child.exitCode !== null) throw new Error(`the machine has ended with ${child.exitCode}`);
    await sleep(200);
  }
  return child;
}

/** Tells of every guest that is found behind a port, until the signal aborts. */
export async function lookFor(port: number, signal: AbortSignal, found: (state: State) => void): Promise<void> {
  const boots = new Set<string>();
  for (; !signal.aborted; await sleep(1000)) {
    const state = await stateAt(port);
    if (state === undefined || boots.has(state.boot)) continue;
    boots.add(state.boot);
    found(state);
  }
}

/** What the guest behind a port says of itself; undefined when it says nothing. */
async function stateAt(port: number): Promise<State | undefined> {
  const text = await askGuest(port, 'state');
  if (text === undefined) return undefined;
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)])) as never;
}

export async function askGuest(port: number, what: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/cgi-bin/${what}`, { signal: AbortSignal.timeout(20_000) });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}
