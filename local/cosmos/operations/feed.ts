// The latest-version change feed: items in the order of their last change. The continuation is the change number up to
// which a reader has seen everything; items of one transaction share a number and are never parted by a page.
import type { EpkRange } from '../partition/key.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';

interface FeedQuestion {
  /** Change number that has been seen; undefined = from the beginning. */
  after: number | undefined;
  /** Seconds since 1970: earlier changes are left out. */
  since?: number | undefined;
  range?: EpkRange | undefined;
  maxItems: number;
}

interface FeedPage {
  /** Items as JSON text. */
  items: string[];
  continuation: number;
}

export function readFeed(
  store: Store,
  container: Container,
  { after, since, range, maxItems }: FeedQuestion,
): FeedPage {
  const from = after ?? 0;
  // Most polls find nothing, and this is all that they cost.
  if (from >= container.lsn) return { items: [], continuation: container.lsn };
  const conditions = since === undefined ? [] : [{ sql: 'ts >= ?', values: [since] }];
  const items: string[] = [];
  let last = from;
  for (const row of store.items.changes(container, from, { range, conditions, now: store.now() })) {
    if (items.length >= maxItems && row.lsn !== last) return { items, continuation: last };
    items.push(`${row.body.slice(0, -1)},"_lsn":${row.lsn}}`);
    last = row.lsn;
  }
  return { items, continuation: container.lsn };
}
