// Duplicate detection: a message id that was seen within the window is accepted and dropped.
import type { Environment } from './environment.ts';

export class Dedupe {
  readonly #entity: number;
  readonly #environment: Environment;
  readonly #seen = new Map<string, number>();

  constructor(entity: number, environment: Environment) {
    this.#entity = entity;
    this.#environment = environment;
  }

  restore(messageId: string, until: number): void {
    this.#seen.set(messageId, until);
  }

  /** True when the id is new; it is remembered then. */
  admit(messageId: string, window: number): boolean {
    const now = this.#environment.now();
    // Insertion order is order of time while the window stays the same, so the oldest come first.
    for (const [id, until] of this.#seen) {
      if (until > now) break;
      this.#seen.delete(id);
      this.#environment.journal.forget(this.#entity, id);
    }
    const until = this.#seen.get(messageId);
    if (until !== undefined && until > now) return false;
    this.#seen.delete(messageId);
    this.#seen.set(messageId, now + window);
    this.#environment.journal.remember(this.#entity, messageId, now + window);
    return true;
  }
}
