// A second person who approves what opens, after a moment's thought. Whoever started a wave can't.
import type { Api } from './api.ts';
import type { Snapshot } from './watch.ts';

export class Approver {
  readonly #api: Api;
  readonly #thinkMs: number;
  readonly #said: (text: string) => void;
  readonly #firstSeen = new Map<string, number>();
  readonly #decided = new Set<string>();

  constructor(api: Api, thinkMs: number, said: (text: string) => void = () => {}) {
    this.#api = api;
    this.#thinkMs = thinkMs;
    this.#said = said;
  }

  /** Approves every gate that has been open for long enough. */
  async see({ at, wave }: Snapshot): Promise<void> {
    for (const { id, groupId, name } of wave.gates) {
      const since = this.#firstSeen.get(id) ?? at;
      this.#firstSeen.set(id, since);
      if (at - since < this.#thinkMs || this.#decided.has(id)) continue;
      this.#decided.add(id);
      await this.#api.approve(wave.waveId, id, 'looks good');
      this.#said(`grace approves the gate ${name} of ${groupId ?? 'the environment'}`);
    }
  }
}
