// Everything that the local vCenter knows. In memory: it ends with the process.
import {
  type DeclaredItem,
  type DeclaredUser,
  invalid,
  notAllowed,
  notFound,
  notSimulated,
  Refusal,
  type VcenterOptions,
} from './contract.ts';
import { Machine, type Snapshot } from './machine.ts';

interface Task {
  state: 'running' | 'success' | 'error';
  result?: unknown;
  failure?: Refusal;
}

export class Inventory {
  readonly options: VcenterOptions;
  readonly machines: Map<string, Machine>;
  readonly #tasks = new Map<string, Task>();
  /** What deployments have made, by their client's token. */
  readonly #deployed = new Map<string, string>();
  #last = 1000;

  constructor(options: VcenterOptions) {
    this.options = options;
    this.machines = new Map(options.machines.map((machine) => [machine.id, new Machine(machine)]));
  }

  nextId(kind: string): string {
    return `${kind}-${++this.#last}`;
  }

  machine(id: string): Machine {
    const machine = this.machines.get(id);
    if (machine === undefined) throw notFound(`virtual machine ${id}`);
    return machine;
  }

  snapshot(id: string): { machine: Machine; snapshot: Snapshot } {
    for (const machine of this.machines.values())
      for (const snapshot of machine.allSnapshots()) if (snapshot.id === id) return { machine, snapshot };
    throw notFound(`snapshot ${id}`);
  }

  /** Privileges that are checked at all; whether somebody has them on an object is whether they have them. */
  has({ privileges }: DeclaredUser, privilege: string): boolean {
    return privileges === undefined || privileges.includes(privilege);
  }

  require(user: DeclaredUser, ...privileges: string[]): void {
    for (const privilege of privileges) if (!this.has(user, privilege)) throw notAllowed(privilege);
  }

  /** Begins work that a client waits for by its task; the task's id. */
  begin(work: () => Promise<unknown> | unknown): string {
    const id = this.nextId('task');
    const task: Task = { state: 'running' };
    this.#tasks.set(id, task);
    const run = async (): Promise<void> => {
      try {
        task.result = await work();
        task.state = 'success';
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        task.failure = error;
        task.state = 'error';
      }
    };
    setTimeout(() => void run(), this.options.taskMs ?? 0);
    return id;
  }

  task(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw notFound(`task ${id}`);
    return task;
  }

  takeSnapshot(machine: Machine, { name, description }: { name: string; description: string }): string {
    const marks = new Map([...machine.disks].map(([key, { writes }]) => [key, writes.length]));
    const createdAt = new Date().toISOString();
    const snapshot: Snapshot = { id: this.nextId('snapshot'), name, description, createdAt, marks, children: [] };
    const current = machine.allSnapshots().at(-1);
    (current?.children ?? machine.snapshots).push(snapshot);
    return snapshot.id;
  }

  removeSnapshot(id: string): void {
    const { machine } = this.snapshot(id);
    const without = (of: readonly Snapshot[]): Snapshot[] =>
      of.flatMap((one) => (one.id === id ? without(one.children) : [{ ...one, children: without(one.children) }]));
    machine.snapshots = without(machine.snapshots);
  }

  item(id: string): DeclaredItem {
    const item = (this.options.libraries ?? []).flatMap(({ items }) => items).find((one) => one.id === id);
    if (item === undefined) throw notFound(`library item ${id}`);
    return item;
  }

  /** Makes a machine of an item; the same token makes the same one. */
  deploy(
    item: DeclaredItem,
    token: string | undefined,
    { name, annotation }: { name: string; annotation: string },
  ): string {
    const known = token === undefined ? undefined : this.#deployed.get(token);
    if (known !== undefined && this.machines.has(known)) return known;
    if ([...this.machines.values()].some((machine) => machine.name === name))
      throw new Refusal(400, 'ALREADY_EXISTS', 'DuplicateName', `An object named "${name}" already exists.`);
    const id = this.nextId('vm');
    const nics = item.networks.map((label, index) => ({ key: 4000 + index, label }));
    const machine = new Machine({ id, name, power: 'POWERED_OFF', disks: item.disks, nics });
    machine.annotation = annotation;
    machine.image = this.options.images?.[item.name];
    this.machines.set(id, machine);
    if (token !== undefined) this.#deployed.set(token, id);
    return id;
  }

  delete(machine: Machine): void {
    if (machine.power !== 'POWERED_OFF') throw notSimulated('deleting a machine that is on');
    this.machines.delete(machine.id);
  }

  /** One of the declared objects of a kind. */
  declared(kind: 'resourcePools' | 'folders' | 'datastores' | 'networks', id: string): void {
    if (!(this.options[kind] ?? []).includes(id)) throw invalid(`There is no ${id} among ${kind}.`);
  }

  async stop(): Promise<void> {
    for (const machine of this.machines.values())
      if (machine.image !== undefined && machine.power !== 'POWERED_OFF') await machine.stop();
  }
}
