// Dispositions that the broker writes: for what clients sent, and for what they settled. Neighbours that succeeded in
// the same turn share a frame. rhea@3.0.5 would merge neighbours of different outcomes too (lib/session.js,
// write_dispositions, compares no outcome while a range has one member): a refused message would be told accepted.
import type { Session as RheaSession } from 'rhea';
import { type Refusal, writeDisposition } from './rhea.ts';

interface Answer {
  id: number;
  refusal: Refusal | undefined;
}

class Answers {
  readonly #write: (first: number, last: number, refusal: Refusal | undefined) => void;
  #waiting: Answer[] = [];

  constructor(write: (first: number, last: number, refusal: Refusal | undefined) => void) {
    this.#write = write;
  }

  push(id: number, refusal?: Refusal): void {
    // Everybody who waited for the same commit is told in the same turn, and so before this.
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push({ id, refusal });
  }

  #flush(): void {
    const waiting = this.#waiting.sort((a, b) => a.id - b.id);
    this.#waiting = [];
    let [first] = waiting;
    let last = first;
    for (const answer of waiting.slice(1)) {
      const isNeighbour = !first?.refusal && !answer.refusal && answer.id === (last?.id ?? 0) + 1;
      if (!isNeighbour) {
        if (first && last) this.#write(first.id, last.id, first.refusal);
        first = answer;
      }
      last = answer;
    }
    if (first && last) this.#write(first.id, last.id, first.refusal);
  }
}

const known = new WeakMap<RheaSession, { sent: Answers; settled: Answers }>();

function answersOf(session: RheaSession): { sent: Answers; settled: Answers } {
  let found = known.get(session);
  if (!found) {
    found = {
      sent: new Answers((first, last, refusal) => writeDisposition(session, 'receiver', first, last, refusal)),
      settled: new Answers((first, last, refusal) => writeDisposition(session, 'sender', first, last, refusal)),
    };
    known.set(session, found);
  }
  return found;
}

/** Answers what a client sent. */
export const answerSent = (session: RheaSession, deliveryId: number, refusal?: Refusal): void =>
  answersOf(session).sent.push(deliveryId, refusal);

/** Answers what a client settled. Success is always `accepted`, whatever it asked for. */
export const answerSettled = (session: RheaSession, deliveryId: number, refusal?: Refusal): void =>
  answersOf(session).settled.push(deliveryId, refusal);
