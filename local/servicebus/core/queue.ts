// One queue of messages: a queue, a subscription, a dead-letter queue, or the scheduled messages of a topic.
// Pure and synchronous: every change is written to the journal as it is made, and whoever acknowledges it waits for the
// commit. Locks live in memory only.
import type { Deadline } from './deadlines.ts';
import { Locks } from './locks.ts';
import type { Environment } from './environment.ts';
import { BusError, messageLockLost, sessionLockLost } from './errors.ts';
import { type Lane, type SessionLock, Sessions } from './lanes.ts';
import { type Arrival, compose, type SessionState, type Stored } from './stored.ts';

export interface QueueOptions {
  lockDuration: number;
  maxDeliveryCount: number;
  requiresSession: boolean;
  defaultTtl: number;
  deadLetterOnExpiration: boolean;
}

export type Outcome =
  | { kind: 'complete' }
  | { kind: 'abandon' | 'defer'; extra?: ReadonlyMap<string, Buffer> }
  | { kind: 'deadLetter'; reason?: string; description?: string; extra?: ReadonlyMap<string, Buffer> };

/** A message on its way to a receiver; without a token it is gone from the queue already. */
export interface Taken {
  message: Stored;
  token?: string;
  lockedUntil?: number;
}

const reserveAhead = 1000;

/** Where messages go from here. */
export interface QueueLinks {
  /** Takes a message that would be ready, if the entity forwards. */
  forward?: ((message: Stored) => void) | undefined;
  deadLetter?: (message: Stored, reason: string | undefined, description: string | undefined) => void;
  /** Replaces plain activation of a scheduled message: a topic routes it. */
  activate?: (message: Stored) => void;
}

export class MessageQueue {
  readonly id: number;
  readonly path: string;
  options: QueueOptions;
  readonly sessions: Sessions;
  readonly messages = new Map<number, Stored>();
  readonly #environment: Environment;
  readonly links: QueueLinks;
  /** Of what is in it now. */
  readonly counts = { active: 0, deferred: 0, scheduled: 0, bytes: 0 };
  readonly #locks: Locks;
  readonly #timers = new Map<number, Deadline>();
  readonly #dirty = new Set<Lane>();
  #next = 1;
  #reserved = 1;

  constructor(id: number, path: string, options: QueueOptions, environment: Environment, links: QueueLinks = {}) {
    this.id = id;
    this.path = path;
    this.options = options;
    this.#environment = environment;
    this.links = links;
    this.#locks = new Locks(
      environment,
      () => this.options.lockDuration,
      (message) => this.#failed(message),
    );
    this.sessions = new Sessions(
      environment,
      () => this.options.lockDuration,
      (lane, lock) => this.#sessionExpired(lane, lock),
    );
  }

  /** The lane of a queue without sessions. */
  get mainLane(): Lane {
    return this.sessions.lane('');
  }

  // ---- in

  enqueue(arrival: Arrival): Stored {
    return this.#insert(this.#compose(arrival));
  }

  /** A message that this queue may not hold arrives in its dead-letter queue. */
  enqueueDead(arrival: Arrival, reason: string, description: string): void {
    this.links.deadLetter?.(this.#compose(arrival), reason, description);
  }

  /** Takes over a message from another queue (a dead letter) or from its own schedule, under a new number. */
  adopt(message: Stored, changes: Partial<Stored>): Stored {
    return this.#insert({ ...message, sequenceNumber: this.#nextNumber(), ...changes });
  }

  /** Puts back what the journal remembers. `resume` follows when all queues have theirs. */
  restore(messages: Stored[], states: Map<string, SessionState>, next: number): void {
    this.#next = next;
    this.#reserved = next;
    for (const [id, state] of states) Object.assign(this.sessions.lane(id), state);
    for (const message of messages) {
      this.messages.set(message.sequenceNumber, message);
      this.#count(message, 1);
      this.#next = Math.max(this.#next, message.sequenceNumber + 1);
    }
  }

  /** Goes on after `restore`: a delivery that a crash ended counts as a failed attempt. Messages may move elsewhere. */
  resume(): void {
    for (const message of [...this.messages.values()]) {
      if (message.delivered) this.#failed(message);
      else this.#place(message);
    }
  }

  // ---- out

  /** The next ready message of a lane. A lane of a session queue needs its lock. */
  take(mode: 'peekLock' | 'receiveAndDelete', lane: Lane, session?: SessionLock): Taken | undefined {
    if (session?.ended) return undefined;
    const message = lane.ready.shift();
    if (!message) return undefined;
    this.sessions.refresh(lane);
    if (mode === 'peekLock') return this.#hold(message, session);
    this.#delete(message);
    return { message };
  }

  /** Deferred messages by number: all of them or an error. */
  takeDeferred(numbers: number[], mode: 'peekLock' | 'receiveAndDelete', sessionId?: string): Taken[] {
    const session = this.#sessionOf(sessionId);
    const wanted = [...new Set(numbers)];
    const messages = wanted.map((number) => this.messages.get(number));
    const found = messages.filter(
      (message) =>
        message?.state === 'deferred' && !message.delivered && (!session || message.sessionId === session.id),
    ) as Stored[];
    if (found.length < wanted.length) {
      throw new BusError(
        'com.microsoft:message-not-found',
        'One or more of the sequence numbers name no deferred message.',
      );
    }
    return found.map((message) => {
      if (mode === 'peekLock') return this.#hold(message, session);
      this.#delete(message);
      return { message };
    });
  }

  settle(token: string, outcome: Outcome): void {
    const held = this.#locks.get(token);
    if (!held) throw this.options.requiresSession ? sessionLockLost('') : messageLockLost();
    if (outcome.kind === 'deadLetter' && !this.links.deadLetter) {
      throw new BusError('amqp:not-allowed', `A message of '${this.path}' is dead-lettered already.`);
    }
    const message = this.#locks.release(held);
    if (outcome.kind === 'complete') {
      this.#delete(message);
      return;
    }
    message.extra = new Map([...message.extra, ...(outcome.extra ?? [])]);
    if (outcome.kind === 'deadLetter') {
      this.#deadLetter(message, outcome.reason, outcome.description);
      return;
    }
    if (outcome.kind === 'abandon') {
      this.#failed(message);
      return;
    }
    this.#count(message, -1);
    message.state = 'deferred';
    this.#count(message, 1);
    this.#returnTo(message);
  }

  renewLock(token: string): number {
    const held = this.#locks.get(token);
    if (!held) throw messageLockLost();
    if (held.session) return this.sessions.renew(held.session.id);
    return this.#locks.renew(held);
  }

  releaseSession(lock: SessionLock): void {
    if (lock.ended) return;
    const lane = this.sessions.lane(lock.id);
    // A session that was closed, not lost: its unsettled messages come back without a failed attempt.
    for (const message of this.#locks.releaseSession(lock)) this.#returnTo(message);
    this.sessions.end(lane, lock);
    this.#wake(lane);
    this.sessions.forgetIfEmpty(lane);
  }

  // ---- besides

  peek(from: number, count: number, sessionId?: string): Stored[] {
    const found: Stored[] = [];
    for (const message of this.messages.values()) {
      if (message.sequenceNumber < from || (sessionId !== undefined && message.sessionId !== sessionId)) continue;
      found.push(message);
      if (found.length >= count) break;
    }
    return found;
  }

  cancelScheduled(numbers: number[]): void {
    const found = numbers
      .map((number) => this.messages.get(number))
      .filter((message) => message?.state === 'scheduled');
    if (found.length < numbers.length) {
      throw new BusError(
        'com.microsoft:message-not-found',
        'One or more of the sequence numbers name no scheduled message.',
      );
    }
    for (const message of found) if (message) this.#delete(message);
  }

  sessionState(id: string): Buffer | null {
    this.#sessionOf(id);
    return this.sessions.lane(id).state;
  }

  setSessionState(id: string, state: Buffer | null): void {
    this.#sessionOf(id);
    const changed = { state, stateUpdatedAt: this.#environment.now() };
    Object.assign(this.sessions.lane(id), changed);
    this.#environment.journal.saveSession(this.id, id, changed);
  }

  /** Sessions whose state was set after `since`, or with messages where `since` is undefined. */
  listSessions(since: number | undefined): string[] {
    if (since === undefined) {
      const active = [...this.messages.values()].filter(({ state }) => state === 'active');
      return [...new Set(active.map(({ sessionId }) => sessionId ?? ''))];
    }
    const lanes = [...this.sessions.lanes.values()];
    return lanes.filter((lane) => lane.state !== null && lane.stateUpdatedAt > since).map(({ id }) => id);
  }

  /** Lets messages that wait here go where the entity forwards since it was changed. */
  forwardReady(): void {
    if (!this.links.forward) return;
    for (const message of [...this.messages.values()]) {
      if (message.state === 'active' && !message.delivered && this.#laneOf(message).ready.remove(message)) {
        this.#place(message);
      }
    }
  }

  /** Ends every lock now, as if its time had come. */
  expireLocks(): void {
    this.#locks.expireAll();
    this.sessions.expireAll();
  }

  /** Forgets everything without journalling it: the entity is being removed. */
  dispose(): void {
    for (const timer of this.#timers.values()) this.#environment.deadlines.remove(timer);
    this.#locks.dispose();
    for (const lane of this.sessions.lanes.values()) {
      if (lane.lock) this.sessions.end(lane, lane.lock);
    }
    this.messages.clear();
    this.sessions.lanes.clear();
  }

  // ---- inside

  #nextNumber(): number {
    const number = this.#next++;
    if (this.#next > this.#reserved) {
      this.#reserved = this.#next + reserveAhead;
      this.#environment.journal.saveCounter(this.id, this.#reserved);
    }
    return number;
  }

  #compose(arrival: Arrival): Stored {
    return compose(arrival, this.#nextNumber(), this.#environment.now(), this.options.defaultTtl);
  }

  #insert(message: Stored): Stored {
    this.messages.set(message.sequenceNumber, message);
    this.#count(message, 1);
    this.#environment.journal.insert(this.id, message);
    this.#place(message);
    return message;
  }

  #count(message: Stored, by: 1 | -1): void {
    this.counts[message.state] += by;
    this.counts.bytes += by * message.raw.length;
  }

  #place(message: Stored): void {
    const { deadlines } = this.#environment;
    if (message.state === 'scheduled') {
      this.#timers.set(
        message.sequenceNumber,
        deadlines.add(message.visibleAt, () => this.#activate(message)),
      );
      return;
    }
    if (message.state === 'active' && this.links.forward) {
      this.#delete(message);
      this.links.forward(message);
      return;
    }
    if (Number.isFinite(message.expiresAt) && !this.#timers.has(message.sequenceNumber)) {
      this.#timers.set(
        message.sequenceNumber,
        deadlines.add(message.expiresAt, () => this.#expire(message)),
      );
    }
    if (message.state === 'active') {
      const lane = this.#laneOf(message);
      lane.ready.add(message);
      this.sessions.refresh(lane);
      this.#wake(lane);
    }
  }

  #laneOf(message: Stored): Lane {
    return this.options.requiresSession ? this.sessions.lane(message.sessionId ?? '') : this.mainLane;
  }

  #activate(message: Stored): void {
    this.#delete(message);
    if (this.links.activate) {
      this.links.activate(message);
      return;
    }
    this.adopt(message, {
      state: 'active',
      enqueuedAt: this.#environment.now(),
      enqueuedSequenceNumber: message.sequenceNumber,
    });
  }

  #expire(message: Stored): void {
    this.#timers.delete(message.sequenceNumber);
    if (message.delivered) return; // looked at again when its lock ends
    if (message.state === 'active') {
      const lane = this.#laneOf(message);
      lane.ready.remove(message);
      this.sessions.refresh(lane);
    }
    if (this.options.deadLetterOnExpiration) {
      this.#deadLetter(message, 'TTLExpiredException', 'The message expired and was dead lettered.');
    } else this.#delete(message);
  }

  #hold(message: Stored, session: SessionLock | undefined): Taken {
    const { token, until } = this.#locks.hold(message, session);
    this.#environment.journal.noteDelivered(this.id, message.sequenceNumber);
    return { message, token, lockedUntil: until };
  }

  /** One more failed attempt: back into the queue, or out of it. */
  #failed(message: Stored): void {
    message.deliveryCount++;
    message.delivered = false;
    if (message.deliveryCount >= this.options.maxDeliveryCount) {
      const description = `Message could not be consumed after ${this.options.maxDeliveryCount} delivery attempts.`;
      this.#deadLetter(message, 'MaxDeliveryCountExceeded', description);
    } else this.#returnTo(message);
  }

  #returnTo(message: Stored): void {
    if (message.expiresAt <= this.#environment.now()) {
      if (message.state === 'active') this.#laneOf(message).ready.add(message);
      this.#expire(message);
      return;
    }
    this.#environment.journal.update(this.id, message);
    this.#place(message);
  }

  #deadLetter(message: Stored, reason: string | undefined, description: string | undefined): void {
    this.#delete(message);
    this.links.deadLetter?.(message, reason, description);
  }

  #delete(message: Stored): void {
    this.messages.delete(message.sequenceNumber);
    this.#count(message, -1);
    this.#environment.deadlines.remove(this.#timers.get(message.sequenceNumber));
    this.#timers.delete(message.sequenceNumber);
    this.#environment.journal.remove(this.id, message.sequenceNumber);
  }

  #sessionExpired(lane: Lane, lock: SessionLock): void {
    for (const message of this.#locks.releaseSession(lock)) this.#failed(message);
    this.sessions.end(lane, lock);
    this.#wake(lane);
    lock.onLost();
  }

  #sessionOf(id: string | undefined): SessionLock | undefined {
    if (!this.options.requiresSession) return undefined;
    const lock = this.sessions.lanes.get(id ?? '')?.lock;
    if (!lock) throw sessionLockLost(id ?? '');
    return lock;
  }

  #wake(lane: Lane): void {
    const first = this.#dirty.size === 0;
    this.#dirty.add(lane);
    if (first) this.#environment.afterCommit(() => this.#notify());
  }

  #notify(): void {
    const lanes = [...this.#dirty];
    this.#dirty.clear();
    if (this.options.requiresSession) this.sessions.offer();
    for (const lane of lanes) {
      const [first, ...others] = lane.consumers;
      if (!first) continue;
      lane.consumers.delete(first);
      lane.consumers.add(first);
      for (const wake of [first, ...others]) wake();
    }
  }
}
