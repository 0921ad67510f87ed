// Where durable engines keep their data while they are measured: a new directory on a real disk, removed at exit.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const defaultDirectory = join(import.meta.dirname, '../../.landfall/bench');

/** Makes a new directory under `parent`; it goes when the process ends. */
export function useDataDirectory(parent = defaultDirectory): string {
  mkdirSync(parent, { recursive: true });
  const { type } = filesystemOf(parent);
  if (type === 'tmpfs') throw new Error(`${parent} is in memory (tmpfs), where fsync costs nothing. Name another.`);
  const directory = mkdtempSync(join(parent, 'run-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The file system that holds the path, from /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export function filesystemOf(path: string): { type: string; device: string } {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [mount = '', source = ''] = line.split(' - ');
      const [type = '', device = ''] = source.split(' ');
      return { point: mount.split(' ')[4] ?? '', type, device };
    })
    .filter(({ point }) => `${resolve(path)}/`.startsWith(point === '/' ? '/' : `${point}/`));
  const deepest = mounts.sort((a, b) => a.point.length - b.point.length).at(-1);
  return { type: deepest?.type ?? 'unknown', device: deepest?.device ?? 'unknown' };
}
