// One who reads a change feed, page by page, and keeps its continuation over the death of the server.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChangeFeedIteratorResponse,
  type ChangeFeedMode,
  ChangeFeedStartFrom,
  type Container,
} from '@azure/cosmos';

const pollMs = 5;

const from = (continuation: string | undefined) =>
  continuation === undefined ? ChangeFeedStartFrom.Now() : ChangeFeedStartFrom.Continuation(continuation);

export class Follower {
  readonly told: unknown[] = [];
  #continuation: string | undefined;
  readonly #changeFeedMode: ChangeFeedMode;

  constructor(changeFeedMode: ChangeFeedMode) {
    this.#changeFeedMode = changeFeedMode;
  }

  /** Reads until there is nothing new. */
  async read(container: Container): Promise<void> {
    const options = { changeFeedMode: this.#changeFeedMode, changeFeedStartFrom: from(this.#continuation) };
    for await (const page of container.items.getChangeFeedIterator(options).getAsyncIterator()) {
      this.#take(page);
      if (page.statusCode === 304) return;
    }
  }

  /** Reads, now and then, until the server is gone. */
  async readOn(container: Container, gone: Promise<unknown>): Promise<void> {
    const options = { changeFeedMode: this.#changeFeedMode, changeFeedStartFrom: from(this.#continuation) };
    const iterator = container.items.getChangeFeedIterator(options);
    const end = gone.then(() => undefined);
    for (;;) {
      // The client goes on trying for seconds, and nobody waits for that.
      const page = await Promise.race([iterator.readNext().catch(ifGone), end]);
      if (!page) return;
      this.#take(page);
      await sleep(pollMs);
    }
  }

  #take(page: ChangeFeedIteratorResponse<unknown[]>): void {
    this.told.push(...page.result);
    this.#continuation = page.continuationToken;
  }
}

/** A refusal would be a fault of the server; a broken connection is what was asked for. */
function ifGone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') throw error;
}
