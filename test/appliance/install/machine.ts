// A machine for agents to come onto: a real sshd, a folder that stands for its root, and stand-ins for systemd and users.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutAt } from '../../../appliance/install/layout.ts';
import { startSshd } from '../ssh/sshd.ts';

const standIns = ['systemctl', 'journalctl', 'useradd', 'userdel', 'groupdel', 'chown', 'id', 'getent', 'sudo'];
/** The only programs that sessions find beside those: what they must do with. */
const programs =
  'sh cat dd df awk tr tail cut grep sed chmod mkdir mktemp mv rm ln sha256sum uname env setsid sleep ls true kill';

export type TestMachine = Awaited<ReturnType<typeof startMachine>>;

/** Starts one in a folder below `parent`. `environment` is what its sessions, and so the agent, find in theirs. */
export async function startMachine(environment: Record<string, string>, parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, 'machine-'));
  const [root, bin, standin] = ['root', 'bin', 'standin'].map((name) => join(folder, name)) as [string, string, string];
  for (const each of [bin, standin, join(root, 'run/systemd/system'), join(root, 'opt'), join(root, 'var/lib')])
    mkdirSync(each, { recursive: true });
  for (const name of standIns) symlinkSync(join(import.meta.dirname, 'standins/standIn.sh'), join(bin, name));
  const where = (name: string): string => execFileSync('bash', ['-c', `type -P ${name}`], { encoding: 'utf8' }).trim();
  for (const name of programs.split(' ')) symlinkSync(where(name), join(bin, name));
  const node = join(bin, 'node');
  symlinkSync(process.execPath, node);
  const told = { ...environment, STANDIN: standin, STANDIN_ROOT: root };
  const sshd = await startSshd({ only: bin, environment: told });
  const layout = layoutAt(root);
  const flag = (name: string) => join(standin, name);
  return {
    folder,
    layout,
    sshd,
    bin,
    asked: () => (existsSync(flag('asked')) ? readFileSync(flag('asked'), 'utf8').trim().split('\n') : []),
    /** Has a stand-in behave differently until `heal`. */
    plant: (name: string, text = '') => writeFileSync(flag(name), text),
    heal: (name: string) => rmSync(flag(name), { force: true }),
    without(name: string): void {
      rmSync(join(bin, name));
    },
    with(name: string, path: string): void {
      symlinkSync(path, join(bin, name));
    },
    agentPid: flag('agent.pid'),
    standInPath: join(import.meta.dirname, 'standins/standIn.sh'),
    async stop() {
      if (existsSync(flag('agent.pid'))) {
        try {
          process.kill(Number(readFileSync(flag('agent.pid'), 'utf8')), 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
      await sshd.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
