// A QEMU process of a test, in software emulation, with its control socket where the host looks for it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { withQmp } from '../../../../shared/hosts/qemu/qmp.ts';

export const run = promisify(execFile);

/** Starts a machine with these disks (`-blockdev` of the format's name) and waits for its socket. */
export async function startQemu(
  folder: string,
  machine: string,
  disks: { id: string; format: string; path: string }[],
) {
  const socket = join(folder, `${machine}.qmp`);
  const blocks = disks.flatMap(({ id, format, path }) => [
    ...['-blockdev', `driver=file,node-name=${id}-file,filename=${path}`],
    ...['-blockdev', `driver=${format},node-name=${id},file=${id}-file`],
    ...['-device', `virtio-blk-pci,drive=${id}`],
  ]);
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35,accel=tcg', '-m', '16', '-nodefaults', '-display', 'none', '-no-shutdown'],
      ...['-qmp', `unix:${socket},server=on,wait=off`],
      ...['-netdev', 'user,id=net0', '-device', 'e1000,netdev=net0,id=eth0'],
      ...blocks,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}`);
    return withQmp(socket, async () => true).catch(() => false);
  });
  return child;
}

export async function stopQemu(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Until something is true; a test's own time limit says when that takes too long. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(50);
}
