import { setTimeout as sleep } from 'node:timers/promises';

/** Worth another try: the service is away, busy or told us to wait. */
export class Retryable extends Error {
  readonly afterMs: number | undefined;
  constructor(message: string, afterMs?: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

export interface Patience {
  signal?: AbortSignal | undefined;
  /** For how long it is tried; without it, for ever. */
  forMs?: number;
  firstMs?: number;
  maxMs?: number;
  onRetry?: (error: Retryable, waitMs: number) => void;
}

/** Runs `work` until it succeeds or fails with something else than Retryable: doubling waits with jitter. */
export async function withRetry<T>(work: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { signal, forMs = Infinity, firstMs = 200, maxMs = 10_000, onRetry } = patience;
  const deadline = Date.now() + forMs;
  for (let wait = firstMs; ; wait = Math.min(wait * 2, maxMs)) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Retryable)) throw error;
      const pause = error.afterMs ?? wait * (0.5 + Math.random() / 2);
      if (Date.now() + pause > deadline) throw error;
      onRetry?.(error, pause);
      await sleep(pause, undefined, signal ? { signal } : {});
    }
  }
}

/** What a Retry-After header asks for, in milliseconds (RFC 9110, section 10.2.3). */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 300_000);
}

export const isBusy = (status: number): boolean => status === 408 || status === 429 || status >= 500;
