// One virtual machine: what it is, not what runs in it. A machine of a library's item may run a process (`Image`).
import {
  alreadySo,
  type DeclaredDisk,
  type DeclaredMachine,
  type Image,
  invalid,
  notFound,
  notNow,
  Refusal,
} from './contract.ts';

export interface Disk extends DeclaredDisk {
  /** What was written, in order; a snapshot knows how many writes came before it. */
  writes: { start: number; length: number }[];
}
interface Nic {
  label: string;
  state: 'CONNECTED' | 'NOT_CONNECTED';
  startConnected: boolean;
}
export interface Snapshot {
  id: string;
  name: string;
  description: string;
  createdAt: string;
  /** By key of the disk: how many writes came before. */
  marks: Map<number, number>;
  children: Snapshot[];
}

export class Machine {
  readonly id: string;
  readonly name: string;
  power: 'POWERED_ON' | 'POWERED_OFF' | 'SUSPENDED';
  tools: NonNullable<DeclaredMachine['tools']>;
  annotation = '';
  readonly disks: Map<number, Disk>;
  readonly nics: Map<number, Nic>;
  readonly changeTracking: boolean;
  readonly extraConfig = new Map<string, string>();
  snapshots: Snapshot[] = [];
  image: Image | undefined;
  #running: { stop(): Promise<void> } | undefined;

  constructor(declared: DeclaredMachine) {
    const { id, name, power = 'POWERED_ON', tools = 'running', disks, nics, changeTracking = false } = declared;
    this.id = id;
    this.name = name;
    this.power = power;
    this.tools = tools;
    this.changeTracking = changeTracking;
    this.disks = new Map(disks.map((disk) => [disk.key, { ...disk, writes: [] }]));
    this.nics = new Map(
      nics.map(({ key, label }) => [
        key,
        { label, startConnected: true, state: power === 'POWERED_ON' ? 'CONNECTED' : 'NOT_CONNECTED' },
      ]),
    );
  }

  async start(): Promise<void> {
    if (this.power === 'POWERED_ON') throw alreadySo('The machine is powered on already.');
    this.power = 'POWERED_ON';
    for (const nic of this.nics.values()) nic.state = nic.startConnected ? 'CONNECTED' : 'NOT_CONNECTED';
    const guestInfo = [...this.extraConfig].filter(([key]) => key.startsWith('guestinfo.'));
    this.#running = this.image?.({ id: this.id, name: this.name, guestInfo: Object.fromEntries(guestInfo) });
  }

  async stop(): Promise<void> {
    if (this.power === 'POWERED_OFF') throw alreadySo('The machine is powered off already.');
    this.power = 'POWERED_OFF';
    for (const nic of this.nics.values()) nic.state = 'NOT_CONNECTED';
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Asks the guest; it goes off after a while, if it heeds. */
  askToShutDown(shutdownMs: number): void {
    if (this.power === 'POWERED_OFF') throw alreadySo('The machine is not powered on.');
    if (this.power === 'SUSPENDED') throw notNow('The machine is suspended.');
    if (this.tools === 'absent')
      throw new Refusal(503, 'SERVICE_UNAVAILABLE', 'ToolsUnavailable', 'VMware Tools is not running.');
    if (this.tools === 'running')
      setTimeout(() => void (this.power === 'POWERED_ON' && this.stop()), shutdownMs).unref();
  }

  nic(key: string): Nic {
    const nic = this.nics.get(Number(key));
    if (nic === undefined) throw notFound(`network adapter ${key} of ${this.id}`);
    return nic;
  }

  /** A switch of an adapter's link: only while the machine runs. */
  setLink(key: string, connected: boolean): void {
    const nic = this.nic(key);
    if (this.power !== 'POWERED_ON') throw notNow('The machine is not powered on.');
    const wanted = connected ? 'CONNECTED' : 'NOT_CONNECTED';
    if (nic.state === wanted) throw alreadySo(`The adapter is ${wanted} already.`);
    nic.state = wanted;
  }

  /** What a guest does to its disk. */
  write(key: number, start: number, length: number): void {
    const disk = this.disks.get(key);
    if (disk === undefined) throw invalid(`There is no disk ${key}.`);
    disk.writes.push({ start, length });
  }

  /** The change id of a disk: of a snapshot, or as it is now; undefined without change tracking. */
  changeId(key: number, snapshot?: Snapshot): string | undefined {
    const writes = snapshot?.marks.get(key) ?? this.disks.get(key)?.writes.length;
    return this.changeTracking ? `52 de ad be ef/${writes}` : undefined;
  }

  allSnapshots(of: readonly Snapshot[] = this.snapshots): Snapshot[] {
    return of.flatMap((snapshot) => [snapshot, ...this.allSnapshots(snapshot.children)]);
  }
}
