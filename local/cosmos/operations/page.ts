// Pages of a query's results, and the continuation tokens between them. A token names the last result given (by its
// item, or by its place in the order), so pages neither repeat nor skip items that others write meanwhile. Only
// DISTINCT, GROUP BY and OFFSET go by a count.
import { badRequest } from '../errors.ts';
import type { Numbered, Prepared } from '../sql/execute.ts';
import type { Place } from '../sql/order.ts';
import type { Value } from '../sql/values.ts';
import type { ItemRow } from '../store/items.ts';

export interface Page {
  /** Results as JSON text. */
  results: string[];
  continuation: string | undefined;
}

interface PageOptions {
  maxItems: number;
  continuation: string | undefined;
}

/** The last result given; `left` is what TOP still allows. */
interface Position extends Place {
  left: number | undefined;
}

const MAX_PAGE_BYTES = 4 * 1024 * 1024;

export function cutPage(prepared: Prepared, rows: (after: number) => Iterable<ItemRow>, options: PageOptions): Page {
  const from = options.continuation === undefined ? undefined : parsePosition(options.continuation);
  const page = new PageBuilder(options.maxItems, from?.left ?? prepared.top);
  if (prepared.isStreaming) stream(page, prepared, rows, from);
  else if (prepared.order) order(page, prepared, prepared.order(numbered(rows(0))), from);
  else collect(page, prepared, rows(0), from);
  return { results: page.results, continuation: page.continuation };
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

function stream(page: PageBuilder, prepared: Prepared, rows: (after: number) => Iterable<ItemRow>, from?: Position) {
  // The last page may have ended in the middle of an item's results; that item comes again.
  for (const item of rows((from?.item ?? 1) - 1)) {
    let row = 0;
    for (const value of prepared.stream(JSON.parse(item.body))) {
      const place = { keys: [], item: item.number, row: row++ };
      if (item.number === from?.item && place.row <= from.row) continue;
      // SELECT * over whole items needs no second pass through JSON.
      if (!page.add(place, () => (prepared.isIdentity ? item.body : JSON.stringify(value)))) return;
    }
  }
}

function order(page: PageBuilder, prepared: Prepared, all: (Place & { result: Value })[], from?: Position) {
  for (const { result, ...place } of all) {
    if (from && prepared.comparePlaces(place, from) <= 0) continue;
    if (!page.add(place, () => JSON.stringify(result))) return;
  }
}

function collect(page: PageBuilder, prepared: Prepared, rows: Iterable<ItemRow>, from?: Position) {
  function* documents(): Generator<Value> {
    for (const { document } of numbered(rows)) yield document;
  }
  for (const [row, result] of prepared.collect(documents()).entries()) {
    if (from && row <= from.row) continue;
    if (!page.add({ keys: [], item: 0, row }, () => JSON.stringify(result))) return;
  }
}

function* numbered(rows: Iterable<ItemRow>): Generator<Numbered> {
  for (const { number, body } of rows) yield { item: number, document: JSON.parse(body) };
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
