// The instances that are in memory at the moment. Everything here can be read again from the store, so an idle
// instance may be dropped at any time.
import type { InstanceRow, Message } from './rows.ts';
import type { Store } from './store.ts';

export interface Instance extends InstanceRow {
  /** JSON texts, each one or more events separated by commas: what one stored row holds. */
  history: string[];
  inbox: Message[];
  phase: 'idle' | 'running';
  /** What the last episode's answer said, for always-replay; not stored. */
  acted?: readonly unknown[] | undefined;
}

const keptInstances = 2000;
const keptBytes = 64 * 1024 * 1024;

export class Instances {
  readonly #store: Store;
  readonly #live = new Map<string, Instance>();
  #loads = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The instance if it is in memory. */
  peek(id: string): Instance | undefined {
    return this.#live.get(id);
  }

  get(id: string): Instance | undefined {
    const live = this.#live.get(id);
    if (live) {
      this.#live.delete(id);
      this.#live.set(id, live);
      return live;
    }
    const row = this.#store.instance(id);
    if (!row) return undefined;
    const instance: Instance = {
      ...row,
      history: this.#store.history(id),
      inbox: this.#store.inbox(id),
      phase: 'idle',
    };
    this.#live.set(id, instance);
    if (++this.#loads % 128 === 0) this.#trim();
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
