// A modelled source site: machines with power, NIC, services and perhaps an agent, and a worker beside them.

import { terminal } from '../../shared/errors.ts';
import type { Host, Hosts, SiteHost } from '../../shared/hosts/contract.ts';
import type { Source } from '../../shared/model/source.ts';

export interface ModelledMachine {
  source: Source;
  power: 'on' | 'off';
  nicConnected: boolean;
  services: Map<string, 'running' | 'stopped'>;
  agent: string | undefined;
  /** How many inspections a shutdown still takes. */
  shutsDownIn: number | undefined;
  refusesShutdown: boolean;
}

export class ModelledHosts implements Hosts {
  readonly machines: Map<string, ModelledMachine>;
  readonly workers = new Set<string>();
  onAgent: (sourceId: string) => void = () => {};
  onWorker: (name: string) => void = () => {};
  readonly #changed: (change: string) => void;

  constructor(sources: readonly Source[], changed: (change: string) => void) {
    this.#changed = changed;
    this.machines = new Map(sources.map((source) => [source.id, serving(source)]));
  }

  machine(id: string): ModelledMachine {
    const machine = this.machines.get(id);
    if (machine === undefined) throw new Error(`no machine ${id}`);
    return machine;
  }

  setService(id: string, name: string, state: 'running' | 'stopped'): void {
    const { services } = this.machine(id);
    const before = services.get(name);
    services.set(name, state);
    if (before !== state) this.#changed(`${id} ${name} ${state}`);
  }

  #off(machine: ModelledMachine): void {
    machine.shutsDownIn = undefined;
    if (machine.power === 'off') return;
    machine.power = 'off';
    for (const name of machine.services.keys()) machine.services.set(name, 'stopped');
    this.#changed(`${machine.source.id} off`);
  }

  of({ id }: Source): Host {
    const machine = this.machine(id);
    return {
      inspect: async () => {
        if (machine.shutsDownIn !== undefined && --machine.shutsDownIn <= 0) this.#off(machine);
        return {
          power: machine.power,
          nicConnected: machine.nicConnected,
          disks: machine.source.disks.map((disk) => ({ id: disk.id, sizeBytes: disk.sizeBytes })),
        };
      },
      shutDown: async () => {
        if (machine.power === 'on' && !machine.refusesShutdown) machine.shutsDownIn = 2;
      },
      powerOff: async () => this.#off(machine),
      powerOn: async () => {
        machine.shutsDownIn = undefined;
        if (machine.power === 'on') return;
        machine.power = 'on';
        this.#changed(`${id} on`);
      },
      setNic: async (_source, connected) => {
        if (machine.nicConnected === connected) return;
        machine.nicConnected = connected;
        this.#changed(`${id} ${connected ? 'connected' : 'disconnected'}`);
      },
      installAgent: async (_source, bootstrap) => {
        if (machine.power === 'off') throw terminal('sourceUnreachable', `${id} is off.`, 'Power it on.');
        if (machine.agent === undefined) {
          this.#changed(`install agent on ${id}`);
          this.onAgent(id);
        }
        machine.agent = bootstrap;
      },
      removeAgent: async () => {
        if (machine.agent !== undefined) this.#changed(`remove agent from ${id}`);
        machine.agent = undefined;
      },
      agentInstalled: async () => machine.agent !== undefined,
    };
  }

  ofSite(): SiteHost {
    return {
      deployWorker: async (_site, name) => {
        if (this.workers.has(name)) return;
        this.workers.add(name);
        this.#changed(`deploy ${name}`);
        this.onWorker(name);
      },
      removeWorker: async (_site, name) => {
        if (this.workers.delete(name)) this.#changed(`remove ${name}`);
      },
      workerPresent: async (_site, name) => this.workers.has(name),
    };
  }
}

/** A machine as the wave finds it: on, connected, every service running. */
function serving(source: Source): ModelledMachine {
  return {
    source,
    power: 'on',
    nicConnected: true,
    services: new Map(source.services.map(({ name }) => [name, 'running'])),
    agent: undefined,
    shutsDownIn: undefined,
    refusesShutdown: false,
  };
}
