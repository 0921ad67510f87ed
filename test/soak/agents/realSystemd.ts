// A machine with a real systemd as its first process, in namespaces of this one's, with a loop device for its disk.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type RealMachine = Awaited<ReturnType<typeof bootMachine>>;

const here = (program: string, ...argv: string[]): string => execFileSync(program, argv, { encoding: 'utf8' }).trim();

/** Boots one whose disk is the image; needs root. `stop` ends it and leaves nothing. */
export async function bootMachine(image: string) {
  if (process.getuid?.() !== 0)
    throw new Error('Only root makes namespaces, mounts and loop devices: run this as root.');
  const folder = mkdtempSync(join(tmpdir(), 'machine-'));
  const name = `landfall-${process.pid}`;
  const disk = here('losetup', '--find', '--show', image);
  const boot = spawn('sh', [join(import.meta.dirname, 'boot.sh'), folder, name, disk.replace('/dev/loop', '')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [boot.stdout, boot.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
  const ended = once(boot, 'exit');

  /** Its first process, as this machine sees it: the child of `unshare`, which `boot` has become. */
  const first = (): string =>
    readFileSync(`/proc/${boot.pid}/task/${boot.pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
  const enter = (script: string, input = '') =>
    spawnSync(
      'nsenter',
      ['--target', first(), '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--root', '--wd', 'sh', '-c', script],
      {
        encoding: 'utf8',
        input,
      },
    );
  const machine = {
    disk,
    /** Runs a script there as root; what it prints. */
    run(script: string, input = ''): string {
      const { stdout, stderr } = enter(script, input);
      return `${stdout}${stderr}`.trim();
    },
    write(path: string, text: string): void {
      const { status, stderr } = enter(`mkdir -p "$(dirname ${path})" && cat >${path}`, text);
      if (status !== 0) throw new Error(`${path}: ${stderr}`);
    },
    async stop(): Promise<void> {
      if (boot.exitCode === null && boot.pid !== undefined) {
        const pid = Number(first());
        if (pid > 0) process.kill(pid, 'SIGKILL');
        await ended;
      }
      here('losetup', '--detach', disk);
      for (const place of hierarchies()) clear(join(place, name));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const deadline = Date.now() + 120_000;
  while (enter('systemctl is-system-running').stdout.trim() !== 'running') {
    if (boot.exitCode !== null || Date.now() > deadline) {
      const state = boot.exitCode === null ? machine.run('systemctl --failed --no-pager') : '';
      await machine.stop();
      throw new Error(`systemd did not come up there: ${said.join('')}\n${state}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return machine;
}

const hierarchies = (): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => (/^\S+ (\S+) cgroup2? /.exec(line)?.[1] ? [line.split(' ')[1] ?? ''] : []));

/** A control group with all below it; its processes have ended. */
function clear(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) clear(join(group, entry.name));
    execFileSync('rmdir', [group]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
