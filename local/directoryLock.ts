import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes sure that one process at a time works on a data directory. Throws, naming the other process, while it lives. */
export function takeDirectory(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'process.json');
  if (existsSync(path)) {
    const { pid, started } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; started: string };
    if (pid !== process.pid && startedAt(pid) === started)
      throw new Error(`${dataDir} is in use by process ${pid}. Stop it first, or choose another folder with --data.`);
  }
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: startedAt(process.pid) }));
}

/** When a process started, in clock ticks since boot (field 22 of /proc/{pid}/stat, proc(5)); undefined if it is gone. */
function startedAt(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  } catch {
    return undefined;
  }
}
