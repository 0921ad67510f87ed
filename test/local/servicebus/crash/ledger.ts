// What clients know of the messages of both queues: what was acknowledged to them, and what nobody knows because the
// broker was killed in between. Holds against it what the broker has after a restart, and what it delivers.

export type Settlement = 'complete' | 'deadLetter' | 'defer' | 'abandon';
/** Where a message was found, by its id. */
export type Place = 'active' | 'deferred' | 'dead';

interface Entry {
  /** `doubtful`: sent, and no answer came. */
  sent: 'acknowledged' | 'doubtful';
  batch: number;
  session: string | undefined;
  number: number;
  /** The last settlement that was asked for. */
  settled?: { how: Settlement; isAcknowledged: boolean };
}

export class Ledger {
  readonly problems: string[] = [];
  readonly #entries = new Map<string, Entry>();
  #batches = 0;
  #sent = 0;
  #acknowledged = 0;

  /** Sends that were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get settled(): number {
    return [...this.#entries.values()].filter(({ settled }) => settled?.isAcknowledged).length;
  }

  /** A send begins; returns whom to tell when it was acknowledged. */
  sending(ids: readonly string[], session?: string): () => void {
    const batch = ++this.#batches;
    const entries = ids.map((): Entry => ({ sent: 'doubtful', batch, session, number: ++this.#sent }));
    for (const [i, entry] of entries.entries()) this.#entries.set(ids[i] ?? '', entry);
    return () => {
      for (const entry of entries) entry.sent = 'acknowledged';
      this.#acknowledged += entries.length;
    };
  }

  /** A receiver got a message. `before` is what the same holder of the session got before it. */
  delivered(id: string, before: readonly string[] = []): void {
    const entry = this.#entries.get(id);
    if (!entry) {
      this.#complain(id, 'was delivered and never sent');
      return;
    }
    const { settled, session } = entry;
    if (settled?.isAcknowledged && settled.how !== 'abandon') this.#complain(id, `came back after ${settled.how}`);
    if (session === undefined) return;
    const last = this.#entries.get(before.at(-1) ?? '');
    if (last && last.number >= entry.number) this.#complain(id, `came after ${before.at(-1)}`);
    for (const [other, { number, sent, session: theirs, settled: done }] of this.#entries) {
      const isBefore = theirs === session && number < entry.number && sent === 'acknowledged';
      if (isBefore && !done && !before.includes(other)) this.#complain(id, `overtook ${other}`);
    }
  }

  /** A settlement begins; returns whom to tell when it was acknowledged. */
  settling(id: string, how: Settlement): () => void {
    const settled = { how, isAcknowledged: false };
    const entry = this.#entries.get(id);
    if (entry) entry.settled = settled;
    return () => {
      settled.isAcknowledged = true;
    };
  }

  /** Holds what a restarted broker has against what is known, and takes over what was doubtful. */
  compare(found: readonly { id: string; place: Place }[]): void {
    const places = new Map<string, Place>();
    for (const { id, place } of found) {
      if (places.has(id)) this.#complain(id, `is there twice: ${places.get(id)} and ${place}`);
      if (!this.#entries.has(id)) this.#complain(id, 'is there and was never sent');
      places.set(id, place);
    }
    this.#compareBatches(places);
    for (const [id, entry] of this.#entries) {
      const place = places.get(id);
      const { how, isAcknowledged } = entry.settled ?? { how: undefined, isAcknowledged: false };
      if (how === 'complete' && isAcknowledged && place) this.#complain(id, `was completed, and is there: ${place}`);
      if (how !== 'complete' && entry.sent === 'acknowledged' && !place)
        this.#complain(id, `was acknowledged, and is gone (${how ?? 'never settled'})`);
      if (isAcknowledged && how === 'deadLetter' && place !== 'dead')
        this.#complain(id, `was dead-lettered, and is ${place}`);
      if (isAcknowledged && how === 'defer' && place !== 'deferred')
        this.#complain(id, `was deferred, and is ${place}`);
      if (!place) this.#entries.delete(id);
      else {
        entry.sent = 'acknowledged';
        const now: Settlement = { active: 'abandon', deferred: 'defer', dead: 'deadLetter' }[place] as Settlement;
        if (place === 'active') delete entry.settled;
        else entry.settled = { how: now, isAcknowledged: true };
      }
    }
  }

  /** Of a batch that nobody answered for, all of it is there or nothing. */
  #compareBatches(places: ReadonlyMap<string, Place>): void {
    const batches = Map.groupBy(this.#entries, ([, { batch }]) => batch);
    for (const [batch, members] of batches) {
      if (members.some(([, { sent }]) => sent === 'acknowledged')) continue;
      const there = members.filter(([id, { settled }]) => places.has(id) || settled);
      if (there.length > 0 && there.length < members.length) {
        this.problems.push(`batch ${batch} is there in part: ${there.length} of ${members.length}`);
      }
    }
  }

  #complain(id: string, what: string): void {
    this.problems.push(`${id} ${what}`);
  }
}
