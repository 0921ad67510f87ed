// GET …/docs: the change feed when `A-IM` asks for it, else a plain listing.
import { badRequest } from '../errors.ts';
import { chargeOfFeed } from '../operations/charge.ts';
import { readFeed, readVersions } from '../operations/feed.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { containerHeaders, header, type Reply, type Request } from './message.ts';
import { answerQuery, listBody } from './query.ts';
import { pageSize, type Target } from './target.ts';

const EVERYTHING = { query: 'SELECT * FROM c', parameters: [] };

export async function feed(store: Store, request: Request, container: Container, target: Target): Promise<Reply> {
  const mode = header(request, 'a-im')?.toLowerCase();
  if (mode === undefined) return answerQuery(store, request, container, target, EVERYTHING);
  const { seen, isNow } = continuation(header(request, 'if-none-match'));
  const page = await store.read(() => {
    if (isNow) return { items: [], continuation: container.lsn };
    const asked = { after: seen, range: target.range, maxItems: pageSize(request) };
    if (mode === 'full-fidelity feed') return readVersions(store, container, asked);
    const since = seen === undefined ? seconds(header(request, 'if-modified-since')) : undefined;
    return readFeed(store, container, { ...asked, since });
  });
  const headers = {
    ...containerHeaders(container, chargeOfFeed(page.items), `"${page.continuation}"`),
    'x-ms-item-count': String(page.items.length),
  };
  if (page.items.length === 0) return { status: 304, headers };
  return { status: 200, headers, body: listBody(container, page.items.join(','), page.items.length) };
}

function continuation(etag: string | undefined): { seen: number | undefined; isNow: boolean } {
  if (etag === undefined || etag === '') return { seen: undefined, isNow: false };
  if (etag === '*') return { seen: undefined, isNow: true };
  const seen = Number(etag.replaceAll('"', ''));
  if (!Number.isInteger(seen) || seen < 0) throw badRequest(`"${etag}" is no continuation of this change feed.`);
  return { seen, isNow: false };
}

function seconds(date: string | undefined): number | undefined {
  if (date === undefined) return undefined;
  const time = Date.parse(date);
  if (Number.isNaN(time)) throw badRequest(`"${date}" is no date.`);
  return Math.floor(time / 1000);
}
