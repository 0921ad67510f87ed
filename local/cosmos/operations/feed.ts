// The change feeds: of the latest versions, which is the items in the order of their last change, and of all versions
// and deletes. The continuation is the change number up to
// which a reader has seen everything; items of one transaction share a number and are never parted by a page.
import { badRequest } from '../errors.ts';
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
  const rows = store.items.changes(container, from, { range, conditions, now: store.now() });
  return cut(container, rows, from, maxItems, ({ body, lsn }) => `${body.slice(0, -1)},"_lsn":${lsn}}`);
}

/** The change feed of all versions and deletes, from a continuation on; throws 400 where there is none. */
export function readVersions(store: Store, container: Container, { after, range, maxItems }: FeedQuestion): FeedPage {
  if (container.retentionMinutes === 0) {
    throw badRequest(
      `Container ${container.id} keeps no versions: give it a changeFeedPolicy with a retentionDuration to read the change feed of all versions and deletes.`,
    );
  }
  if (after === undefined) {
    throw badRequest('The change feed of all versions and deletes starts now or from a continuation, and not earlier.');
  }
  if (after < store.versions.pruned(container)) {
    throw badRequest(
      `The continuation is older than the ${container.retentionMinutes} minutes that container ${container.id} keeps its versions.`,
    );
  }
  if (after >= container.lsn) return { items: [], continuation: container.lsn };
  const versions = store.versions.read(container, after, range);
  return cut(container, versions, after, maxItems, ({ json }) => json);
}

function cut<T extends { lsn: number }>(
  container: Container,
  changes: Iterable<T>,
  from: number,
  maxItems: number,
  text: (change: T) => string,
): FeedPage {
  const items: string[] = [];
  let last = from;
  for (const change of changes) {
    if (items.length >= maxItems && change.lsn !== last) return { items, continuation: last };
    items.push(text(change));
    last = change.lsn;
  }
  return { items, continuation: container.lsn };
}
