// The leases of a change feed: one document per range of the container, with owner, checkpoint and the time of its last
// renewal, in the shape of https://github.com/Azure/azure-cosmos-dotnet-v3's change feed processor. All writes carry
// If-Match, so a host that has lost a range learns of it with its next write.
import { type Container, ErrorResponse, type FeedRange } from '@azure/cosmos';
import { z } from 'zod';

const Lease = z.looseObject({
  id: z.string(),
  _etag: z.string(),
  FeedRange: z.object({ Range: z.object({ min: z.string(), max: z.string() }) }),
  Owner: z.string().nullable(),
  ContinuationToken: z.string().nullable(),
  timestamp: z.iso.datetime(),
  /** Who has too few ranges and asks the owner for this one. */
  properties: z.looseObject({ wantedBy: z.string().optional() }),
});
export type Lease = z.output<typeof Lease>;

export const statusOf = (error: unknown): unknown => (error instanceof ErrorResponse ? error.code : undefined);

/** Another host has the range now. */
export class LeaseLost extends Error {}

export class Leases {
  readonly #container: Container;
  readonly #prefix: string;
  readonly #owner: string;

  /** `prefix` tells the readers of one feed from others in the same lease container. */
  constructor(container: Container, prefix: string, owner: string) {
    this.#container = container;
    this.#prefix = `${prefix}..`;
    this.#owner = owner;
  }

  async list(): Promise<Lease[]> {
    const query = 'SELECT * FROM c WHERE STARTSWITH(c.id, @prefix)';
    const parameters = [{ name: '@prefix', value: this.#prefix }];
    const { resources } = await this.#container.items.query<unknown>({ query, parameters }).fetchAll();
    return z.array(Lease).parse(resources);
  }

  /** Makes the leases of a feed that nobody has read yet. */
  async create(ranges: readonly FeedRange[]): Promise<void> {
    for (const { minInclusive: min, maxExclusive: max } of ranges) {
      const id = `${this.#prefix}${min}-${max}`;
      const lease = { id, version: 1, LeaseToken: `${min}-${max}`, FeedRange: { Range: { min, max } }, Owner: null };
      const rest = { ContinuationToken: null, timestamp: new Date().toISOString(), properties: {} };
      await this.#container.items.create({ ...lease, ...rest, Mode: 'Incremental Feed' }).catch((error: unknown) => {
        if (statusOf(error) !== 409) throw error;
      });
    }
  }

  /** Takes a free lease; undefined when another host was faster. */
  async take(lease: Lease): Promise<HeldLease | undefined> {
    const taken = await this.#replace(lease, { Owner: this.#owner, properties: {} });
    return taken && new HeldLease(this.#container, taken);
  }

  /** Asks the owner of a lease to give it up. */
  async ask(lease: Lease): Promise<void> {
    await this.#replace(lease, { timestamp: lease.timestamp, properties: { wantedBy: this.#owner } });
  }

  async #replace(lease: Lease, change: Partial<Lease>): Promise<Lease | undefined> {
    try {
      return await replace(this.#container, lease, change);
    } catch (error) {
      if (statusOf(error) === 412 || statusOf(error) === 404) return undefined;
      throw error;
    }
  }
}

/** A lease of ours. Its writes go one after another, each with the tag of the one before. */
export class HeldLease {
  readonly #container: Container;
  #lease: Lease;
  #writes: Promise<void> = Promise.resolve();

  constructor(container: Container, lease: Lease) {
    this.#container = container;
    this.#lease = lease;
  }

  get id(): string {
    return this.#lease.id;
  }
  get range(): { min: string; max: string } {
    return this.#lease.FeedRange.Range;
  }
  get continuation(): string | undefined {
    return this.#lease.ContinuationToken ?? undefined;
  }
  get renewedAt(): number {
    return Date.parse(this.#lease.timestamp);
  }
  /** Another host asks for it. */
  get isWanted(): boolean {
    return this.#lease.properties.wantedBy !== undefined;
  }

  renew = (): Promise<void> => this.#write({});
  checkpoint = (continuation: string): Promise<void> => this.#write({ ContinuationToken: continuation });
  release = (): Promise<void> => this.#write({ Owner: null });

  #write(change: Partial<Lease>): Promise<void> {
    const write = this.#writes.then(() => this.#replace(change));
    this.#writes = write.catch(() => {});
    return write;
  }

  async #replace(change: Partial<Lease>): Promise<void> {
    for (;;) {
      try {
        this.#lease = await replace(this.#container, this.#lease, change);
        return;
      } catch (error) {
        const isGone = statusOf(error) === 404;
        if (!isGone && statusOf(error) !== 412) throw error;
        // Somebody asks for it, or the answer to our own last write was lost: it is still ours then.
        const { resource } = await this.#container.item(this.id, this.id).read();
        const found = Lease.safeParse(resource).data;
        if (isGone || found?.Owner !== this.#lease.Owner) throw new LeaseLost(`The lease ${this.id} is another's now.`);
        this.#lease = found;
      }
    }
  }
}

async function replace(container: Container, lease: Lease, change: Partial<Lease>): Promise<Lease> {
  const accessCondition = { type: 'IfMatch', condition: lease._etag };
  const body = { ...lease, timestamp: new Date().toISOString(), ...change };
  const { resource } = await container.item(lease.id, lease.id).replace(body, { accessCondition });
  return Lease.parse(resource);
}
