// What the core needs from outside, so that it stays pure and synchronous: time, ids, one alarm, and a journal.
import type { Deadlines } from './deadlines.ts';
import type { SessionState, Stored } from './stored.ts';
import type { EntityRecord } from './entity.ts';
import type { Rule } from './rules.ts';

/** Time, and one way to be woken at a time. */
export interface Clock {
  now(): number;
  /** Calls `run` once at or after `at`; returns how to cancel that. */
  wake(at: number, run: () => void): () => void;
}

/**
 * Where the core writes down what it did, in order. Everything written in one synchronous stretch becomes durable
 * together or not at all.
 */
export interface Journal {
  saveEntity(entity: EntityRecord): void;
  removeEntity(id: number): void;
  insert(queue: number, message: Stored): void;
  update(queue: number, message: Stored): void;
  /**
   * The message was handed out under a lock. Nobody waits for that to be durable: it goes with the next that somebody
   * waits for, or a moment later.
   */
  noteDelivered(queue: number, sequenceNumber: number): void;
  remove(queue: number, sequenceNumber: number): void;
  saveSession(queue: number, id: string, session: SessionState): void;
  saveCounter(queue: number, next: number): void;
  remember(entity: number, messageId: string, until: number): void;
  forget(entity: number, messageId: string): void;
  saveRule(subscription: number, rule: Rule): void;
  removeRule(subscription: number, name: string): void;
}

export interface Environment {
  now(): number;
  /** A new uuid, as text. */
  newId(): string;
  deadlines: Deadlines;
  journal: Journal;
  /** Runs `run` once everything journalled so far is durable. */
  afterCommit(run: () => void): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wake(at, run) {
    // setTimeout cannot wait longer than 2^31-1 ms; waking too early is harmless.
    const timer = setTimeout(run, Math.min(Math.max(at - Date.now(), 0), 3_600_000));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
