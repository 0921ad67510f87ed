// Keeps the appliance on the bus: fetches tokens before they expire, replaces the connections, and empties the outbox.
import type { BusAccess } from '../../shared/protocol/enrolment.ts';
import { type Log, messageOf } from '../log.ts';
import { Retryable, withRetry } from '../net/retry.ts';
import type { PlatformClient } from '../platform/client.ts';
import { FatalProblem, Problem } from '../problem.ts';
import { BusConnection, isUnauthorized, type Verdict } from './connection.ts';
import type { Outbox } from './outbox.ts';

export interface BusOptions {
  platform: PlatformClient;
  outbox: Outbox;
  log: Log;
  onCommand(body: unknown): Promise<Verdict>;
}

const refusalsBeforeGivingUp = 5;

export class Bus {
  readonly #options: BusOptions;
  readonly #stopping = new AbortController();
  #connection: BusConnection | undefined;
  #renewTimer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;
  #renewedAt = 0;
  #sending: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(options: BusOptions) {
    this.#options = options;
    options.outbox.onWork = () => this.#wake();
  }

  /** Connects with the first access, or asks for one. A platform that refuses a known appliance has revoked it. */
  async start(first?: BusAccess): Promise<void> {
    this.#use(first ?? (await this.#askForAccess()));
    this.#sending = this.#sendForEver();
  }

  /** Waits until everything that is kept has been accepted, at most so long. */
  async drain(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (this.#options.outbox.next() && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#renewTimer);
    this.#wake();
    await this.#connection?.close();
    await this.#sending;
  }

  async #askForAccess(): Promise<BusAccess> {
    const { platform, log } = this.#options;
    let refusals = 0;
    const ask = async (): Promise<BusAccess> => {
      try {
        return await platform.busAccess();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (++refusals < refusalsBeforeGivingUp) throw new Retryable(error.message);
        throw new FatalProblem(`${error.message} Enrol the appliance anew with an empty state folder.`);
      }
    };
    const onRetry = (error: Retryable): void => log.warn('no tokens for the bus yet', { error: error.message });
    return withRetry(ask, { firstMs: 250, maxMs: 15_000, onRetry, signal: this.#stopping.signal });
  }

  #use(access: BusAccess): void {
    const { log, onCommand } = this.#options;
    const old = this.#connection;
    this.#renewedAt = Date.now();
    const connection = new BusConnection(access);
    connection.listen({ onCommand, onUnauthorized: () => this.#renew() }, log);
    this.#connection = connection;
    void old?.close(30_000);
    const lifeMs = Date.parse(access.expiresAt) - Date.now();
    clearTimeout(this.#renewTimer);
    this.#renewTimer = setTimeout(() => this.#renew(), Math.max(lifeMs / 2, 1000));
  }

  #renew(): void {
    const { platform, log } = this.#options;
    if (this.#renewing || this.#stopping.signal.aborted || Date.now() - this.#renewedAt < 1000) return;
    const ask = async (): Promise<BusAccess> => {
      try {
        return await platform.busAccess();
      } catch (error) {
        throw new Retryable(messageOf(error));
      }
    };
    const onRetry = (error: Retryable): void => log.warn('tokens could not be renewed', { error: error.message });
    this.#renewing = withRetry(ask, { firstMs: 500, maxMs: 30_000, onRetry, signal: this.#stopping.signal })
      .then((access) => this.#use(access))
      .catch(() => {})
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  async #sendForEver(): Promise<void> {
    const { outbox, log } = this.#options;
    let wait = 200;
    while (!this.#stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const parcel = outbox.next();
      if (!parcel) {
        await woken;
        continue;
      }
      try {
        await this.#connection?.send(parcel);
        outbox.accepted(parcel);
        wait = 200;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        log.warn('an event could not be sent', { error: messageOf(error) });
        if (isUnauthorized(error)) this.#renew();
        await Promise.race([new Promise((resolve) => setTimeout(resolve, wait)), this.#aborted()]);
        wait = Math.min(wait * 2, 3000);
      }
    }
  }

  #aborted(): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));
  }
}
