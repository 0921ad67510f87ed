// Pages of a query's results, and the continuation tokens between them. A token names the last result given (by its
// item, or by its place in the order), so pages neither repeat nor skip items that others write meanwhile. Only
// DISTINCT, GROUP BY and OFFSET go by a count.
import { badRequest } from '../errors.ts';
import type { Numbered, Ordered, Prepared } from '../sql/execute.ts';
import type { Place } from '../sql/order.ts';
import type { Value } from '../sql/values.ts';
import type { Stored, StoredText } from '../store/items.ts';

export interface Page {
  /** The results as JSON text with commas between them. */
  text: string | Uint8Array;
  count: number;
  continuation: string | undefined;
}

interface PageOptions {
  maxItems: number;
  continuation: string | undefined;
  /** Keeps what takes long to make from one page to the next. */
  keep: <T>(make: () => T[]) => T[];
}

/** The last result given; `left` is what TOP still allows. */
interface Position extends Place {
  left: number | undefined;
}

const MAX_PAGE_BYTES = 4 * 1024 * 1024;

export function cutPage(prepared: Prepared, rows: (after: number) => Iterable<Stored>, options: PageOptions): Page {
  const from = options.continuation === undefined ? undefined : parsePosition(options.continuation);
  const page = new PageBuilder(options.maxItems, from?.left ?? prepared.top);
  const { order } = prepared;
  if (prepared.isStreaming) stream(page, prepared, rows, from);
  else if (order) addOrdered(page, prepared, () => options.keep(() => order(numbered(rows(0)))), from);
  else collect(page, () => options.keep(() => prepared.collect(documentsOf(rows(0)))), from);
  return { text: page.results.join(','), count: page.results.length, continuation: page.continuation };
}

/**
 * The page of a query that asks for whole items, all of which SQLite has decided on: no pass through JSON. Undefined if
 * they are too much for a page.
 */
export function copyPage(
  scan: (after: number, limit: number) => StoredText,
  { maxItems, continuation }: Omit<PageOptions, 'keep'>,
): Page | undefined {
  const from = continuation === undefined ? undefined : parsePosition(continuation);
  if (from?.left !== undefined) return undefined;
  const { count, last, text } = scan(from?.item ?? 0, maxItems);
  if (text.length > MAX_PAGE_BYTES) return undefined;
  const isFull = count === maxItems && scan(last, 1).count > 0;
  const place = { keys: [], item: last, row: 0, left: undefined };
  return { text, count, continuation: isFull ? formatPosition(place) : undefined };
}

class PageBuilder {
  readonly results: string[] = [];
  continuation: string | undefined;
  readonly #maxItems: number;
  #left: number | undefined;
  #bytes = 0;
  #last: Place | undefined;

  constructor(maxItems: number, left: number | undefined) {
    this.#maxItems = maxItems;
    this.#left = left;
  }

  /** Takes one more result; false when the page is over. */
  add(place: Place, text: () => string): boolean {
    if (this.#left === 0) return false;
    if (this.#last && (this.results.length >= this.#maxItems || this.#bytes >= MAX_PAGE_BYTES)) {
      this.continuation = formatPosition({ ...this.#last, left: this.#left });
      return false;
    }
    const result = text();
    this.results.push(result);
    this.#bytes += result.length;
    this.#last = place;
    if (this.#left !== undefined) this.#left--;
    return true;
  }
}

function stream(page: PageBuilder, prepared: Prepared, rows: (after: number) => Iterable<Stored>, from?: Position) {
  // The last page may have ended in the middle of an item's results; that item comes again.
  for (const item of rows((from?.item ?? 1) - 1)) {
    let row = 0;
    for (const value of prepared.stream(JSON.parse(item.body))) {
      const place = { keys: [], item: item.number, row: row++ };
      if (item.number === from?.item && place.row <= from.row) continue;
      if (!page.add(place, () => (prepared.isIdentity ? item.body : JSON.stringify(value)))) return;
    }
  }
}

function addOrdered(page: PageBuilder, prepared: Prepared, all: () => Ordered[], from?: Position) {
  for (const { values, text, ...place } of all()) {
    if (from && prepared.comparePlaces(place, from) <= 0) continue;
    if (prepared.isWhole) {
      if (!page.add(place, () => text)) return;
      continue;
    }
    const result = prepared.project(values);
    if (result !== undefined && !page.add(place, () => JSON.stringify(result))) return;
  }
}

function collect(page: PageBuilder, all: () => Value[], from?: Position) {
  for (const [row, result] of all().entries()) {
    if (from && row <= from.row) continue;
    if (!page.add({ keys: [], item: 0, row }, () => JSON.stringify(result))) return;
  }
}

function* documentsOf(rows: Iterable<Stored>): Generator<Value> {
  for (const { body } of rows) yield JSON.parse(body);
}

function* numbered(rows: Iterable<Stored>): Generator<Numbered> {
  for (const { number, body } of rows) yield { item: number, document: JSON.parse(body), text: body };
}

function parsePosition(text: string): Position {
  try {
    const [keys, item, row, left]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(keys) && typeof item === 'number' && typeof row === 'number') {
      return { keys: keys.map(([key]) => key), item, row, left: typeof left === 'number' ? left : undefined };
    }
  } catch {
    // Not ours: the same refusal as for a list of another shape.
  }
  throw badRequest('The continuation token is not one that this server has given.');
}

// A key that is undefined becomes an empty list, which JSON keeps apart from null.
const formatPosition = ({ keys, item, row, left }: Position) =>
  Buffer.from(JSON.stringify([keys.map((key) => (key === undefined ? [] : [key])), item, row, left ?? null])).toString(
    'base64url',
  );
