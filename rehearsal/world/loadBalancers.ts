// Modelled backend pools: any pool that is asked about is there, with the addresses that a story has given it.
import type { Azure, PoolAddress } from '../../shared/azure/contract.ts';
import { terminal } from '../../shared/errors.ts';
import type { Change, Changed } from './change.ts';

export type Addresses = ReadonlyMap<string, readonly Omit<PoolAddress, 'place'>[]>;

export class ModelledPools {
  /** What pools hold themselves, by their id. */
  readonly addresses = new Map<string, Omit<PoolAddress, 'place'>[]>();
  /** The machines that are in pools with their interfaces. */
  readonly #members = new Map<string, Set<string>>();
  readonly #changed: Changed;
  readonly #hasInterface: (machine: string) => boolean;

  constructor(changed: Changed, hasInterface: (machine: string) => boolean) {
    this.#changed = changed;
    this.#hasInterface = hasInterface;
  }

  hold(addresses: Addresses): void {
    for (const [poolId, held] of addresses) this.addresses.set(poolId, [...held]);
  }

  has(machine: string, poolId: string): boolean {
    return this.#hasInterface(machine) && this.#members.get(poolId)?.has(machine) === true;
  }

  readonly azure: Azure['loadBalancers'] = {
    pool: async (poolId) => {
      if ((this.addresses.get(poolId) ?? []).length > 0) return { by: 'addresses' };
      return { by: (this.#members.get(poolId)?.size ?? 0) > 0 ? 'interfaces' : 'nothing' };
    },
    address: async (poolId, address) => {
      const held = this.addresses.get(poolId) ?? [];
      const place = held.findIndex((one) => one.address === address);
      const found = held[place];
      return found && { place, ...found };
    },
    takeOut: async (poolId, address) => {
      const held = this.addresses.get(poolId) ?? [];
      const left = held.filter((one) => one.address !== address);
      this.addresses.set(poolId, left);
      if (left.length < held.length) this.#tell(poolId, `without ${address}`);
    },
    putBack: async (poolId, { place, ...entry }) => {
      const held = this.addresses.get(poolId) ?? [];
      if (held.some(({ address }) => address === entry.address)) return;
      this.addresses.set(poolId, held.toSpliced(place, 0, entry));
      this.#tell(poolId, `with ${entry.address}`);
    },
    has: async (_environment, machine, poolId) => this.has(machine, poolId),
    join: async (_environment, machine, poolId) => {
      if (!this.#hasInterface(machine))
        throw terminal('notFound', `There is no NIC of ${machine}.`, 'Launch it first.');
      if (this.has(machine, poolId)) return;
      this.#members.set(poolId, new Set(this.#members.get(poolId)).add(machine));
      this.#tell(poolId, `with ${machine}`);
    },
    leave: async (_environment, machine, poolId) => {
      const wasIn = this.has(machine, poolId);
      this.#members.get(poolId)?.delete(machine);
      if (wasIn) this.#tell(poolId, `without ${machine}`);
    },
  };

  #tell(poolId: string, what: string): void {
    const change: Change = { what: `${poolId.split('/').at(-1)} ${what}`, kind: 'pool', id: poolId };
    this.#changed(change);
  }
}
