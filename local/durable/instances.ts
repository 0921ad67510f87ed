// The instances that are in memory at the moment. Everything here can be read again from the store, so an idle
// instance may be dropped at any time.
import type { HistoryEvent } from './history.ts';
import type { InstanceRow, Message } from './rows.ts';
import type { Store } from './store.ts';
import { wireEvents } from './wire.ts';

export interface Instance extends InstanceRow {
  /** The history as episodes carry it (`wireEvents`). */
  history: string[];
  /** How many rows the stored history has. */
  rows: number;
  inbox: Message[];
  phase: 'idle' | 'running';
  /** What the last episode's answer said, for always-replay; not stored. */
  acted?: readonly unknown[] | undefined;
}

const keptInstances = 1000;
const keptBytes = 16 * 1024 * 1024;

export class Instances {
  readonly #store: Store;
  readonly #live = new Map<string, Instance>();
  #looks = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The instance if it is in memory. */
  peek(id: string): Instance | undefined {
    return this.#live.get(id);
  }

  /** How many are in memory. */
  get size(): number {
    return this.#live.size;
  }

  get(id: string): Instance | undefined {
    // Those that stay in memory grow, too.
    if (++this.#looks % 128 === 0) this.#trim();
    const live = this.#live.get(id);
    if (live) {
      this.#live.delete(id);
      this.#live.set(id, live);
      return live;
    }
    const row = this.#store.instance(id);
    if (!row) return undefined;
    const history = this.#store.history(id);
    const instance: Instance = {
      ...row,
      history: history.length > 0 ? [wireEvents(JSON.parse(`[${history.join(',')}]`) as HistoryEvent[])] : [],
      rows: history.length,
      inbox: this.#store.inbox(id),
      phase: 'idle',
    };
    this.#live.set(id, instance);
    return instance;
  }

  forget(id: string): void {
    this.#live.delete(id);
  }

  /** Drops the longest unused idle instances beyond the limits. */
  #trim(): void {
    let bytes = 0;
    const newestFirst = [...this.#live.values()].reverse();
    newestFirst.forEach((instance, index) => {
      for (const chunk of instance.history) bytes += chunk.length;
      if ((index >= keptInstances || bytes > keptBytes) && instance.phase === 'idle') this.#live.delete(instance.id);
    });
  }
}
