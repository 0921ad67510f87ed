// One who writes to a partition of his own, one thing after the other, and knows what must be there: exactly what was
// acknowledged, or that and the one thing that was under way.
import type { Container, OperationInput } from '@azure/cosmos';

type Items = ReadonlyMap<string, number>;

/** A reproducible number from 0 to 1. https://github.com/cprosche/mulberry32 (public domain) */
export function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Writer {
  /** What is acknowledged: the version of each item. */
  acknowledged: Items = new Map();
  /** What there is if the write under way came through as well. */
  attempted: Items = new Map();
  acknowledgements = 0;
  readonly name: string;
  readonly #container: Container;
  readonly #draw: () => number;
  readonly #etags = new Map<string, string>();

  constructor(container: Container, name: string, seed: number) {
    this.#container = container;
    this.name = name;
    this.#draw = chance(seed);
  }

  /** Writes until a write fails for want of a server. */
  async write(acknowledged: () => void): Promise<void> {
    try {
      for (let at = 0; ; at++) {
        await this.#step(at);
        this.acknowledged = this.attempted;
        this.acknowledgements++;
        acknowledged();
      }
    } catch (error) {
      const { code } = error as { code?: unknown };
      // A refusal would be a fault of the server; a broken connection is what was asked for.
      if (typeof code === 'number') throw error;
    }
  }

  async #step(at: number): Promise<void> {
    const { items } = this.#container;
    const known = [...this.acknowledged.keys()];
    const old = known[Math.floor(this.#draw() * known.length)];
    const kind = old === undefined ? 0 : Math.floor(this.#draw() * 6);
    const version = old === undefined ? 0 : (this.acknowledged.get(old) ?? 0);
    const item = (id: string, v: number) => ({ id, v, waveId: this.name });
    if (kind <= 1 || old === undefined) {
      this.#attempt([`i${at}`, 1]);
      const { etag } = await items.create(item(`i${at}`, 1));
      this.#etags.set(`i${at}`, etag);
    } else if (kind === 2) {
      this.#attempt([old, version + 1]);
      const condition = this.#etags.get(old);
      const options = condition === undefined ? {} : { accessCondition: { type: 'IfMatch', condition } };
      const { etag } = await items.upsert(item(old, version + 1), options);
      this.#etags.set(old, etag);
    } else if (kind === 3) {
      this.#attempt([old, version + 1]);
      const { etag } = await this.#container.item(old, this.name).patch([{ op: 'incr', path: '/v', value: 1 }]);
      this.#etags.set(old, etag);
    } else if (kind === 4) {
      this.#attempt([old, undefined]);
      await this.#container.item(old, this.name).delete();
    } else {
      this.#attempt([old, version + 1], [`b${at}`, 1], [`c${at}`, 1]);
      const operations: OperationInput[] = [
        { operationType: 'Patch', id: old, resourceBody: { operations: [{ op: 'incr', path: '/v', value: 1 }] } },
        { operationType: 'Create', resourceBody: item(`b${at}`, 1) },
        { operationType: 'Create', resourceBody: item(`c${at}`, 1) },
      ];
      const { code } = await items.batch(operations, this.name);
      if (code !== 200) throw new Error(`The batch was answered ${code}`);
      this.#etags.delete(old);
    }
  }

  #attempt(...changes: [id: string, version: number | undefined][]): void {
    const next = new Map(this.acknowledged);
    for (const [id, version] of changes) {
      if (version === undefined) next.delete(id);
      else next.set(id, version);
    }
    this.attempted = next;
  }
}
