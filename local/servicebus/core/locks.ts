// Locks on single messages: who holds one, under which token, until when. A message taken in a session lives under the
// session's lock and has no time of its own. Locks are never journalled.
import type { Deadline } from './deadlines.ts';
import type { Environment } from './environment.ts';
import type { SessionLock } from './lanes.ts';
import type { Stored } from './stored.ts';

export interface Held {
  message: Stored;
  token: string;
  until: number;
  session: SessionLock | undefined;
  deadline: Deadline | undefined;
}

export class Locks {
  readonly #held = new Map<string, Held>();
  readonly #environment: Environment;
  readonly #duration: () => number;
  readonly #onExpired: (message: Stored) => void;

  constructor(environment: Environment, duration: () => number, onExpired: (message: Stored) => void) {
    this.#environment = environment;
    this.#duration = duration;
    this.#onExpired = onExpired;
  }

  hold(message: Stored, session: SessionLock | undefined): Held {
    const token = this.#environment.newId();
    const held: Held = { message, token, until: session?.until ?? 0, session, deadline: undefined };
    this.#held.set(token, held);
    message.delivered = true;
    if (!session) this.#arm(held);
    return held;
  }

  get(token: string): Held | undefined {
    return this.#held.get(token);
  }

  renew(held: Held): number {
    this.#environment.deadlines.remove(held.deadline);
    this.#arm(held);
    return held.until;
  }

  /** Ends the lock without a word on what becomes of the message. */
  release(held: Held): Stored {
    this.#held.delete(held.token);
    this.#environment.deadlines.remove(held.deadline);
    held.message.delivered = false;
    return held.message;
  }

  /** Ends all locks of one session and returns their messages. */
  releaseSession(lock: SessionLock): Stored[] {
    return [...this.#held.values()].filter((held) => held.session === lock).map((held) => this.release(held));
  }

  /** Those of sessions end with their session. */
  expireAll(): void {
    for (const held of [...this.#held.values()]) if (!held.session) this.#onExpired(this.release(held));
  }

  dispose(): void {
    for (const held of this.#held.values()) this.#environment.deadlines.remove(held.deadline);
    this.#held.clear();
  }

  #arm(held: Held): void {
    held.until = this.#environment.now() + this.#duration();
    held.deadline = this.#environment.deadlines.add(held.until, () => this.#onExpired(this.release(held)));
  }
}
