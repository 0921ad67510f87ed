// A modelled source site: machines with power, NIC, services and perhaps an agent, and a worker beside them.

import { terminal } from '../../shared/errors.ts';
import type { Host, HostCheck, Hosts, SiteHost, Snapshots } from '../../shared/hosts/contract.ts';
import { isByHand } from '../../shared/model/byHand.ts';
import type { Site } from '../../shared/model/environment.ts';
import type { Source, StartMode } from '../../shared/model/source.ts';
import type { Changed } from './change.ts';

type ServiceRun = 'running' | 'stopped';

export interface ModelledMachine {
  source: Source;
  power: 'on' | 'off';
  nicConnected: boolean;
  services: Map<string, ServiceRun>;
  /** Of the services that have one. */
  startModes: Map<string, StartMode | 'unknown'>;
  agent: string | undefined;
  /** By name; they cost, and slow its writes. */
  snapshots: Set<string>;
  /** Tells shutdowns apart: one that was overtaken does nothing. */
  shutdowns: number;
  /** Whether it was asked to shut down since it is on. */
  asked: boolean;
  refusesShutdown: boolean;
}

/** What is said of a source when it is asked to shut down. */
export const askedToShutDown = 'asked to shut down';

interface Around {
  changed: Changed;
  later(milliseconds: number, work: () => Promise<void>): void;
  shutdownMs(): number;
}

export class ModelledHosts implements Hosts {
  readonly machines: Map<string, ModelledMachine>;
  readonly workers = new Set<string>();
  /** What hosts of sites say that we may do there, and what workers must get through to. */
  allowed: HostCheck[] = [{ name: 'privileges', passed: true, detail: 'all' }];
  reach: { host: string; port: number }[] = [{ host: 'esx1.cellar.example', port: 902 }];
  onAgent: (sourceId: string) => void = () => {};
  onWorker: (name: string) => void = () => {};
  /** A machine with an agent has come up. */
  onBoot: (sourceId: string) => void = () => {};
  readonly #around: Around;

  constructor(sources: readonly Source[], around: Around) {
    this.#around = around;
    this.machines = new Map(sources.map((source) => [source.id, serving(source)]));
  }

  machine(id: string): ModelledMachine {
    const machine = this.machines.get(id);
    if (machine === undefined) throw new Error(`no machine ${id}`);
    return machine;
  }

  setService(id: string, name: string, state: ServiceRun): void {
    const { services } = this.machine(id);
    const before = services.get(name);
    services.set(name, state);
    if (before !== state) this.#changed(id, `${name} ${state}`);
  }

  setStartMode(id: string, name: string, mode: StartMode | 'unknown'): void {
    const { startModes } = this.machine(id);
    const before = startModes.get(name);
    startModes.set(name, mode);
    if (before !== mode) this.#changed(id, `${name} ${mode}`);
  }

  #changed(id: string, what: string, kind: 'source' | 'snapshot' = 'source'): void {
    this.#around.changed({ what: `${id} ${what}`, kind, id });
  }

  #off(machine: ModelledMachine): void {
    machine.shutdowns++;
    if (machine.power === 'off') return;
    machine.power = 'off';
    for (const name of machine.services.keys()) machine.services.set(name, 'stopped');
    this.#changed(machine.source.id, 'off');
  }

  #on(machine: ModelledMachine): void {
    machine.shutdowns++;
    if (machine.power === 'on') return;
    machine.power = 'on';
    machine.asked = false;
    for (const [name, mode] of machine.startModes) if (mode === 'automatic') machine.services.set(name, 'running');
    this.#changed(machine.source.id, 'on');
    if (machine.agent !== undefined) this.onBoot(machine.source.id);
  }

  /** The host of a source, as the app has it: none where people do everything. */
  of(source: Source): Host | undefined {
    if (isByHand(source)) return undefined;
    const { installAgent, removeAgent, agentInstalled, setNic, ...host } = this.machineHost(source.id);
    const agents = {
      install: (_source: Source, bootstrap: string) => installAgent(bootstrap),
      remove: removeAgent,
      installed: agentInstalled,
    };
    const machine = this.machine(source.id);
    const snapshots: Snapshots = {
      take: async ({ id, disks }, name) => {
        if (!machine.snapshots.has(name)) this.#changed(id, `frozen as ${name}`, 'snapshot');
        machine.snapshots.add(name);
        return disks.map((disk) => ({ id: disk.id, at: { nbd: `nbd://${id}/${disk.id}` } }));
      },
      release: async ({ id }, name) => {
        if (machine.snapshots.delete(name)) this.#changed(id, `no longer frozen as ${name}`, 'snapshot');
      },
    };
    // As the real ones: only the laboratory reaches into the guest, and it freezes nothing.
    const reach = source.host.kind === 'lab' ? { agents } : { snapshots };
    return { ...host, setNic: (_source, connected) => setNic(connected), ...reach };
  }

  /** What can be done with a machine, by its host or by people. */
  machineHost(id: string) {
    const machine = this.machine(id);
    return {
      inspect: async () => ({
        power: machine.power,
        nicConnected: machine.nicConnected,
        disks: machine.source.disks.map((disk) => ({ id: disk.id, sizeBytes: disk.sizeBytes })),
      }),
      shutDown: async () => {
        if (machine.power === 'off') return;
        if (!machine.asked) this.#changed(id, askedToShutDown);
        machine.asked = true;
        if (machine.refusesShutdown) return;
        const turn = ++machine.shutdowns;
        this.#around.later(this.#around.shutdownMs(), async () => {
          if (machine.shutdowns === turn) this.#off(machine);
        });
      },
      powerOff: async () => this.#off(machine),
      powerOn: async () => this.#on(machine),
      setNic: async (connected: boolean) => {
        if (machine.nicConnected === connected) return;
        machine.nicConnected = connected;
        this.#changed(id, connected ? 'connected' : 'disconnected');
      },
      installAgent: async (bootstrap: string) => {
        if (machine.power === 'off') throw terminal('sourceUnreachable', `${id} is off.`, 'Power it on.');
        const isNew = machine.agent === undefined;
        machine.agent = bootstrap;
        if (!isNew) return;
        this.#around.changed({ what: `install agent on ${id}`, kind: 'source', id });
        this.onAgent(id);
      },
      removeAgent: async () => {
        const was = machine.agent;
        machine.agent = undefined;
        if (was !== undefined) this.#around.changed({ what: `remove agent from ${id}`, kind: 'source', id });
      },
      agentInstalled: async () => machine.agent !== undefined,
    };
  }

  ofSite(site: Site): SiteHost | undefined {
    if (isByHand(site)) return undefined;
    return {
      deployWorker: (_site, name) => this.deployWorker(name),
      removeWorker: (_site, name) => this.removeWorker(name),
      workerPresent: async (_site, name) => this.workers.has(name),
      ...(site.host.kind === 'lab' ? {} : { allows: async () => this.allowed, reach: async () => this.reach }),
    };
  }

  async deployWorker(name: string): Promise<void> {
    if (this.workers.has(name)) return;
    this.workers.add(name);
    this.#around.changed({ what: `deploy ${name}`, kind: 'worker', id: name });
    this.onWorker(name);
  }

  async removeWorker(name: string): Promise<void> {
    if (this.workers.delete(name)) this.#around.changed({ what: `remove ${name}`, kind: 'worker', id: name });
  }
}

/** A machine as the wave finds it: on, connected, every service running. Without a start mode one starts when it is told to. */
function serving(source: Source): ModelledMachine {
  return {
    source,
    power: 'on',
    nicConnected: true,
    services: new Map(source.services.map(({ name }) => [name, 'running'])),
    startModes: new Map(source.services.flatMap(({ name, startMode }) => (startMode ? [[name, 'automatic']] : []))),
    agent: undefined,
    snapshots: new Set(),
    shutdowns: 0,
    asked: false,
    refusesShutdown: false,
  };
}
