// What waits to be sent on one link: credit of the link and window of its session decide when.
import { canSend, type Link, writeTransfer } from './rhea.ts';

export interface Outgoing {
  payload: Buffer;
  tag: Buffer;
  settled: boolean;
  /** Told the delivery id once it is written. */
  sent?: (deliveryId: number) => void;
}

export class Outbox {
  readonly #link: Link;
  #waiting: Outgoing[] = [];

  constructor(link: Link) {
    this.#link = link;
  }

  get size(): number {
    return this.#waiting.length;
  }

  push(item: Outgoing): void {
    this.#waiting.push(item);
    this.flush();
  }

  flush(): void {
    let count = 0;
    for (const item of this.#waiting) {
      if (!canSend(this.#link, item.payload)) break;
      const id = writeTransfer(this.#link, item.tag, item.payload, item.settled);
      item.sent?.(id);
      count++;
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
  }
}
