// A staging page blob over the Blob service's REST API. Storage may be away for minutes and signatures expire in the
// middle of a copy: both are waited out here.
// https://learn.microsoft.com/rest/api/storageservices/operations-on-page-blobs
import { createHash } from 'node:crypto';
import type { BlobAccess } from '../../shared/protocol/enrolment.ts';
import { messageOf } from '../log.ts';
import { type HttpAnswer, type HttpRequest, send } from '../net/http.ts';
import { isBusy, type Patience, Retryable, retryAfterMs, withRetry } from '../net/retry.ts';
import { Problem } from '../problem.ts';
import type { Range } from './blocks.ts';
import type { Pacing } from './pacing.ts';
import type { Target } from './target.ts';

export interface PageBlobOptions {
  /** The line that its pages are sent over. */
  line?: Pacing;
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

  async digestOf(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    let hash = createHash('sha256');
    let size = 0;
    const restart = (): void => {
      hash = createHash('sha256');
      size = 0;
    };
    const onChunk = (chunk: Buffer): void => {
      hash.update(chunk);
      size += chunk.length;
    };
    const headers = { 'x-ms-range': rangeHeader(offset, length) };
    await this.#ask({ method: 'GET', headers, onChunk, restart }, signal);
    if (size !== length)
      throw new Problem('blobRefused', `Storage answered ${size} bytes instead of ${length}.`, 'Retry the sync.');
    return hash.digest();
  }

  async allocated(length: number, signal: AbortSignal): Promise<Range[]> {
    const ranges: Range[] = [];
    for (let marker: string | undefined = ''; marker !== undefined; ) {
      const comp: string = marker === '' ? 'pagelist' : `pagelist&marker=${encodeURIComponent(marker)}`;
      const answer = await this.#ask(
        { method: 'GET', comp, headers: { 'x-ms-range': rangeHeader(0, length) } },
        signal,
      );
      const xml = answer.body.toString('utf8');
      for (const [, start, end] of xml.matchAll(/<PageRange>\s*<Start>(\d+)<\/Start>\s*<End>(\d+)<\/End>/g))
        ranges.push({ start: Number(start), stop: Number(end) + 1 });
      marker = /<NextMarker>([^<]+)<\/NextMarker>/.exec(xml)?.[1];
    }
    return ranges;
  }

  async snapshot(signal: AbortSignal): Promise<string> {
    const { headers } = await this.#ask({ method: 'PUT', comp: 'snapshot' }, signal);
    const name = headers['x-ms-snapshot'];
    if (typeof name !== 'string') throw new Problem('blobRefused', 'Storage made no snapshot.', 'Retry the sync.');
    return name;
  }

  async #ask(request: HttpRequest & { comp?: string; restart?: () => void }, signal: AbortSignal): Promise<HttpAnswer> {
    const { comp, restart, headers, ...rest } = request;
    let isRenewed = false;
    const attempt = async (): Promise<HttpAnswer> => {
      const url = await this.#url(signal);
      restart?.();
      const answer = await send(comp === undefined ? url : `${url}&comp=${comp}`, {
        ...rest,
        headers: { ...headers, 'x-ms-version': serviceVersion },
        signal,
      }).catch((error: unknown) => {
        // While storage is away a fresh signature may age, too.
        isRenewed = false;
        throw new Retryable(`storage cannot be reached: ${messageOf(error)}`);
      });
      const { status } = answer;
      if (status < 300) return answer;
      if (isBusy(status))
        throw new Retryable(`storage answered ${status}`, retryAfterMs(answer.headers['retry-after']));
      const code = String(answer.headers['x-ms-error-code'] ?? status);
      if ((status === 401 || status === 403) && !isRenewed) {
        isRenewed = true;
        if (this.#current?.url === url) this.#current = undefined;
        throw new Retryable(`storage answered ${code}`, 0);
      }
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
