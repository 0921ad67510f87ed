// A message in a queue, and the order in which ready ones wait.

export type MessageState = 'active' | 'deferred' | 'scheduled';

/** What is kept of a message. `raw` is what the sender sent; everything else is the broker's. */
export interface Stored {
  sequenceNumber: number;
  enqueuedSequenceNumber: number;
  state: MessageState;
  messageId: string;
  sessionId: string | undefined;
  enqueuedAt: number;
  /** When a scheduled message becomes active. */
  visibleAt: number;
  /** Infinity for never. */
  expiresAt: number;
  /** Failed attempts so far. */
  deliveryCount: number;
  /** Whether it was handed out under a lock that has not ended; after a crash that counts as a failed attempt. */
  delivered: boolean;
  deadLetterSource: string | undefined;
  /** Application properties that settlements added, each as its encoded value. */
  extra: ReadonlyMap<string, Buffer>;
  raw: Buffer;
}

/** What a session's holders keep with it, and when that was last set. */
export interface SessionState {
  state: Buffer | null;
  stateUpdatedAt: number;
}

/** What arrives at a queue; the queue gives it a sequence number. */
export interface Arrival {
  raw: Buffer;
  messageId: string;
  sessionId: string | undefined;
  ttl: number | undefined;
  scheduledAt: number | undefined;
  /** Its number where it was first, if it comes from elsewhere. */
  enqueuedSequenceNumber?: number | undefined;
  deadLetterSource?: string | undefined;
}

/** A new message as it lies in a queue: ready, or waiting for its time. */
export function compose(arrival: Arrival, sequenceNumber: number, now: number, defaultTtl: number): Stored {
  const visibleAt = Math.max(arrival.scheduledAt ?? now, now);
  return {
    sequenceNumber,
    enqueuedSequenceNumber: arrival.enqueuedSequenceNumber ?? sequenceNumber,
    state: visibleAt > now ? 'scheduled' : 'active',
    messageId: arrival.messageId,
    sessionId: arrival.sessionId,
    enqueuedAt: now,
    visibleAt,
    expiresAt: visibleAt + Math.min(arrival.ttl ?? Number.POSITIVE_INFINITY, defaultTtl),
    deliveryCount: 0,
    delivered: false,
    deadLetterSource: arrival.deadLetterSource,
    extra: new Map(),
    raw: arrival.raw,
  };
}

/** Ready messages by sequence number: cheap at both ends, possible in the middle (a message comes back). */
export class ReadyList {
  #items: Stored[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  add(message: Stored): void {
    const last = this.#items.at(-1);
    if (this.size === 0 || !last || last.sequenceNumber < message.sequenceNumber) this.#items.push(message);
    else this.#items.splice(this.#position(message.sequenceNumber), 0, message);
  }

  shift(): Stored | undefined {
    const first = this.#items[this.#head];
    if (!first) return undefined;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    } else if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return first;
  }

  remove(message: Stored): boolean {
    const at = this.#position(message.sequenceNumber);
    if (this.#items[at] !== message) return false;
    this.#items.splice(at, 1);
    return true;
  }

  #position(sequenceNumber: number): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.#items[middle];
      if (item && item.sequenceNumber < sequenceNumber) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
