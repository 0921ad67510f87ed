// A staging page blob over the Blob service's REST API. Storage may be away for minutes and signatures expire in the
// middle of a copy: both are waited out here.
// https://learn.microsoft.com/rest/api/storageservices/operations-on-page-blobs
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobAccess } from '../../shared/protocol/enrolment.ts';
import { messageOf } from '../log.ts';
import { copyInto } from '../net/copyInto.ts';
import { type HttpAnswer, type HttpRequest, send } from '../net/http.ts';
import { isBusy, type Patience, Retryable, retryAfterMs, withRetry } from '../net/retry.ts';
import { Problem } from '../problem.ts';
import type { Range } from './blocks.ts';
import type { Flight } from './flight.ts';
import type { Pacing } from './pacing.ts';
import type { Target } from './target.ts';

export interface PageBlobOptions {
  /** The line that its pages are sent over. */
  line?: Pacing;
  /** What is on its way over it at a time; without limit if absent. */
  flight?: Flight;
  /** Asks the platform for a signed address. */
  access(signal: AbortSignal): Promise<BlobAccess>;
  /** For how long an operation is tried while storage or platform are away. */
  patience?: Pick<Patience, 'forMs' | 'onRetry'>;
}

const serviceVersion = '2021-12-02';

export class PageBlob implements Target {
  readonly #options: PageBlobOptions;
  #current: { url: string; renewAt: number } | undefined;
  #renewing: Promise<void> | undefined;
  /** Until when storage has asked for quiet. */
  #quietUntil = 0;

  constructor(options: PageBlobOptions) {
    this.#options = options;
  }

  async put(offset: number, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#options.line?.take(data.length, signal);
    const headers = { 'x-ms-page-write': 'update', 'x-ms-range': rangeHeader(offset, data.length) };
    await this.#ask({ method: 'PUT', comp: 'page', headers, body: data }, signal);
  }

  async clear(offset: number, length: number, signal: AbortSignal): Promise<void> {
    const headers = { 'x-ms-page-write': 'clear', 'x-ms-range': rangeHeader(offset, length) };
    await this.#ask({ method: 'PUT', comp: 'page', headers }, signal);
  }

  async read(offset: number, buffer: Uint8Array, version: string, signal: AbortSignal): Promise<void> {
    let size = 0;
    const restart = (): void => {
      size = 0;
    };
    const onChunk = (chunk: Buffer): void => {
      if (size + chunk.length <= buffer.length) copyInto(buffer, size, chunk);
      size += chunk.length;
    };
    const headers = { 'x-ms-range': rangeHeader(offset, buffer.length), 'if-match': version };
    await this.#ask({ method: 'GET', headers, onChunk, restart }, signal);
    if (size === buffer.length) return;
    throw new Problem('blobRefused', `Storage answered ${size} bytes instead of ${buffer.length}.`, 'Retry the sync.');
  }

  async allocated({ start, stop }: Range, signal: AbortSignal): Promise<Range[]> {
    const ranges: Range[] = [];
    const headers = { 'x-ms-range': rangeHeader(start, stop - start) };
    for (let marker: string | undefined = ''; marker !== undefined; ) {
      const comp: string = marker === '' ? 'pagelist' : `pagelist&marker=${encodeURIComponent(marker)}`;
      const answer = await this.#ask({ method: 'GET', comp, headers }, signal);
      const xml = answer.body.toString('utf8');
      for (const [, first, last] of xml.matchAll(/<PageRange>\s*<Start>(\d+)<\/Start>\s*<End>(\d+)<\/End>/g))
        ranges.push({ start: Number(first), stop: Number(last) + 1 });
      marker = /<NextMarker>([^<]+)<\/NextMarker>/.exec(xml)?.[1];
    }
    return ranges;
  }

  async version(signal: AbortSignal): Promise<string> {
    const { headers } = await this.#ask({ method: 'HEAD' }, signal);
    if (headers.etag === undefined) throw new Problem('blobRefused', 'Storage named no version.', 'Retry the sync.');
    return headers.etag;
  }

  async snapshot(version: string, signal: AbortSignal): Promise<string> {
    const { headers } = await this.#ask({ method: 'PUT', comp: 'snapshot', headers: { 'if-match': version } }, signal);
    const name = headers['x-ms-snapshot'];
    if (typeof name !== 'string') throw new Problem('blobRefused', 'Storage made no snapshot.', 'Retry the sync.');
    return name;
  }

  async #ask(request: HttpRequest & { comp?: string; restart?: () => void }, signal: AbortSignal): Promise<HttpAnswer> {
    const { comp, restart, headers, ...rest } = request;
    let isRenewed = false;
    const attempt = async (): Promise<HttpAnswer> => {
      const quietMs = this.#quietUntil - Date.now();
      if (quietMs > 0) await sleep(quietMs, undefined, { signal });
      const url = await this.#url(signal);
      restart?.();
      const attempted = (): Promise<HttpAnswer> =>
        send(comp === undefined ? url : `${url}&comp=${comp}`, {
          ...rest,
          headers: { ...headers, 'x-ms-version': serviceVersion },
          signal,
        });
      const { flight } = this.#options;
      const carried = flight && rest.body ? flight.carry(rest.body.length, signal, attempted) : attempted();
      const answer = await carried.catch((error: unknown) => {
        // While storage is away a fresh signature may age, too.
        isRenewed = false;
        throw new Retryable(`storage cannot be reached: ${messageOf(error)}`);
      });
      const { status } = answer;
      if (status < 300) return answer;
      if (isBusy(status)) {
        const afterMs = retryAfterMs(answer.headers['retry-after']);
        // Whoever is told to wait tells the others, too: they all ask the same blob.
        if (afterMs !== undefined) this.#quietUntil = Math.max(this.#quietUntil, Date.now() + afterMs);
        throw new Retryable(`storage answered ${status}`, afterMs);
      }
      const code = String(answer.headers['x-ms-error-code'] ?? status);
      if ((status === 401 || status === 403) && !isRenewed) {
        isRenewed = true;
        if (this.#current?.url === url) this.#current = undefined;
        throw new Retryable(`storage answered ${code}`, 0);
      }
      if (code === 'ConditionNotMet')
        throw new Problem(
          'blobChanged',
          'Something else has written to the staging blob while it was read back.',
          'Make sure that only this appliance writes to it, then start the sync again.',
        );
      const suggestion =
        status === 404
          ? 'The staging blob is missing: start an initial sync again, which makes it anew.'
          : 'Check the staging account: its network rules, the role of the identity that signs, and leases on the blob.';
      throw new Problem(status === 404 ? 'blobMissing' : 'blobRefused', `Storage refused ${code}.`, suggestion);
    };
    try {
      return await withRetry(attempt, { forMs: 15 * 60_000, maxMs: 3000, ...this.#options.patience, signal });
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
      throw new Problem('storageUnavailable', `For too long ${error.message}.`, 'Retry when storage answers again.');
    }
  }

  async #url(signal: AbortSignal): Promise<string> {
    while (!this.#current || Date.now() >= this.#current.renewAt) {
      this.#renewing ??= this.#renew(signal).finally(() => {
        this.#renewing = undefined;
      });
      await this.#renewing;
    }
    return this.#current.url;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { url, expiresAt } = await this.#options.access(signal);
    const lifeMs = Date.parse(expiresAt) - Date.now();
    // Early enough for a slow request to end under the signature that it began with.
    this.#current = { url, renewAt: Date.now() + Math.max(lifeMs - Math.max(60_000, lifeMs / 5), lifeMs / 2, 500) };
  }
}

const rangeHeader = (offset: number, length: number): string => `bytes=${offset}-${offset + length - 1}`;
