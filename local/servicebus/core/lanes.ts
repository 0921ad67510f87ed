// Lanes: the ordered streams inside a queue. A queue without sessions has one lane; one with sessions has a lane per
// session id, which one holder at a time may lock. This file knows who holds which lane; the queue knows messages.
import { BusError, sessionLockLost } from './errors.ts';
import type { Deadline } from './deadlines.ts';
import type { Environment } from './environment.ts';
import { ReadyList, type SessionState } from './stored.ts';

/** The exclusive hold of one session. `ended` is set once, when it is released or lost. */
export interface SessionLock {
  id: string;
  until: number;
  ended: boolean;
  deadline: Deadline | undefined;
  onLost: () => void;
}

export interface Lane extends SessionState {
  id: string;
  ready: ReadyList;
  lock: SessionLock | undefined;
  /** Called when a message became ready; in turn, so that competing receivers share. */
  consumers: Set<() => void>;
}

interface Waiter {
  grant: (lock: SessionLock) => void;
  onLost: () => void;
  deadline: Deadline;
}

export class Sessions {
  readonly lanes = new Map<string, Lane>();
  readonly #available = new Set<Lane>();
  readonly #waiters = new Set<Waiter>();
  readonly #environment: Environment;
  readonly #duration: () => number;
  readonly #onExpired: (lane: Lane, lock: SessionLock) => void;

  constructor(environment: Environment, duration: () => number, onExpired: (lane: Lane, lock: SessionLock) => void) {
    this.#environment = environment;
    this.#duration = duration;
    this.#onExpired = onExpired;
  }

  lane(id: string): Lane {
    let lane = this.lanes.get(id);
    if (!lane) {
      lane = { id, ready: new ReadyList(), state: null, stateUpdatedAt: 0, lock: undefined, consumers: new Set() };
      this.lanes.set(id, lane);
    }
    return lane;
  }

  /** Call after anything that may have made a lane available or empty. */
  refresh(lane: Lane): void {
    if (lane.lock || lane.ready.size === 0) this.#available.delete(lane);
    else this.#available.add(lane);
  }

  /** Hands available sessions to those who wait for any. */
  offer(): void {
    for (const waiter of this.#waiters) {
      const lane = this.#available.values().next().value;
      if (!lane) return;
      this.#waiters.delete(waiter);
      this.#environment.deadlines.remove(waiter.deadline);
      waiter.grant(this.#lock(lane, waiter.onLost));
    }
  }

  /** Locks the named session, available or not, existing or not. */
  accept(id: string, onLost: () => void): SessionLock {
    const lane = this.lane(id);
    if (lane.lock) {
      throw new BusError(
        'com.microsoft:session-cannot-be-locked',
        `The requested session '${id}' cannot be accepted. It may be locked by another receiver.`,
      );
    }
    return this.#lock(lane, onLost);
  }

  /** Waits for any session with a ready message; returns how to give up. */
  acceptNext(until: number, grant: (lock: SessionLock) => void, expire: () => void, onLost: () => void): () => void {
    const waiter: Waiter = {
      grant,
      onLost,
      deadline: this.#environment.deadlines.add(until, () => {
        this.#waiters.delete(waiter);
        expire();
      }),
    };
    this.#waiters.add(waiter);
    this.offer();
    return () => {
      this.#waiters.delete(waiter);
      this.#environment.deadlines.remove(waiter.deadline);
    };
  }

  renew(id: string): number {
    const lock = this.lanes.get(id)?.lock;
    if (!lock) throw sessionLockLost(id);
    this.#environment.deadlines.remove(lock.deadline);
    this.#arm(this.lane(id), lock);
    return lock.until;
  }

  expireAll(): void {
    for (const lane of [...this.lanes.values()]) {
      if (!lane.lock) continue;
      this.#environment.deadlines.remove(lane.lock.deadline);
      this.#onExpired(lane, lane.lock);
    }
  }

  /** Ends a hold; the caller has put the lane's messages back. Lanes with nothing to remember are forgotten. */
  end(lane: Lane, lock: SessionLock): void {
    lock.ended = true;
    this.#environment.deadlines.remove(lock.deadline);
    lane.lock = undefined;
    this.refresh(lane);
  }

  forgetIfEmpty(lane: Lane): void {
    if (!lane.lock && lane.ready.size === 0 && lane.state === null) this.lanes.delete(lane.id);
  }

  #lock(lane: Lane, onLost: () => void): SessionLock {
    const lock: SessionLock = { id: lane.id, until: 0, ended: false, deadline: undefined, onLost };
    lane.lock = lock;
    this.refresh(lane);
    this.#arm(lane, lock);
    return lock;
  }

  #arm(lane: Lane, lock: SessionLock): void {
    lock.until = this.#environment.now() + this.#duration();
    lock.deadline = this.#environment.deadlines.add(lock.until, () => this.#onExpired(lane, lock));
  }
}
