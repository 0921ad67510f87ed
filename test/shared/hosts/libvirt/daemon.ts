// libvirt's daemon for a test: a session of its own in a folder of its own, without privileges.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** As root it would be the daemon of the whole machine: then it runs as nobody. */
const nobody = 65_534;

export class Libvirt {
  readonly folder: string;
  readonly connect: string;
  readonly #child: ChildProcess;
  readonly #identity: { uid?: number; gid?: number };

  private constructor(folder: string, child: ChildProcess, identity: { uid?: number; gid?: number }) {
    this.folder = folder;
    this.connect = `qemu+unix:///session?socket=${join(folder, 'run/libvirt/libvirt-sock')}`;
    this.#child = child;
    this.#identity = identity;
  }

  static async start(): Promise<Libvirt> {
    const folder = await mkdtemp(join(tmpdir(), 'lv-'));
    const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
    const homes = ['run', 'config', 'cache', 'data'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    for (const home of homes) await mkdir(home);
    const [XDG_RUNTIME_DIR, XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_DATA_HOME] = homes;
    const env = {
      PATH: '/usr/sbin:/usr/bin:/bin',
      HOME: folder,
      XDG_RUNTIME_DIR,
      XDG_CONFIG_HOME,
      XDG_CACHE_HOME,
      XDG_DATA_HOME,
    };
    await chmod(folder, 0o755);
    for (const each of [folder, ...homes]) if (identity.uid !== undefined) await chown(each, nobody, nobody);
    // What it lacks in a container (D-Bus, dnsmasq, firmware tables) it says on stderr, and nothing here needs it.
    const child = spawn('libvirtd', [], { env, stdio: 'ignore', ...identity });
    const libvirt = new Libvirt(folder, child, identity);
    while (
      !(await libvirt.virsh('version').then(
        () => true,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`libvirtd ended with ${child.exitCode}`);
      await sleep(50);
    }
    return libvirt;
  }

  async virsh(...args: string[]): Promise<string> {
    const { stdout } = await run('virsh', ['--quiet', '--connect', this.connect, ...args], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout;
  }

  /** Gives the daemon's user a file. */
  async own(path: string): Promise<string> {
    if (this.#identity.uid !== undefined) await chown(path, nobody, nobody);
    return path;
  }

  /** Defines and starts a machine with one disk, `vda`. */
  async startDomain(name: string, disk: { path: string; format: string }): Promise<void> {
    const xml = `<domain type="qemu"><name>${name}</name><memory unit="MiB">16</memory><vcpu>1</vcpu>
<os><type arch="x86_64" machine="q35">hvm</type></os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type="file" device="disk"><driver name="qemu" type="${disk.format}"/><source file="${disk.path}"/><target dev="vda" bus="virtio"/></disk>
<interface type="user"><mac address="52:54:00:00:00:01"/><model type="virtio"/></interface>
</devices></domain>`;
    const file = join(this.folder, `${name}.xml`);
    await writeFile(file, xml);
    await this.virsh('define', file);
    await this.virsh('start', name);
  }

  async stop(): Promise<void> {
    for (const name of (await this.virsh('list', '--name')).split('\n').filter(Boolean))
      await this.virsh('destroy', name);
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
