// A container of Cosmos DB as the repositories want it. Every answer that means "somebody else was faster" is a value;
// everything else that fails becomes a MigrationError.
import { type Container, ErrorResponse, type JSONObject, type SqlParameter } from '@azure/cosmos';
import { terminal, toMigrationError } from '../errors.ts';
import { type Batch, beforeNextTry, type Collection, type Key, type Query, type Stored } from './collection.ts';
import type { Read } from './contract.ts';

const throttledTries = 8;

/** `Retry With` (449) and `Too Many Requests` (429): https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb */
const passing = new Set([429, 449]);

/** https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits */
const tooLarge = 413;

/** https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits */
const canBeId = /^[^/\\?#]{1,1023}$/;

/** Does something again while the service asks for it; the statuses in `expected` are values, not failures. */
async function attempt<T, S extends number>(
  doing: string,
  work: () => Promise<T>,
  expected: readonly S[],
): Promise<T | S> {
  for (let n = 1; ; n++) {
    await beforeNextTry(n);
    try {
      return await work();
    } catch (error) {
      // A batch wraps what went wrong (Items.batch of @azure/cosmos@4.10.1).
      const cause =
        error instanceof Error && !(error instanceof ErrorResponse) && error.cause !== undefined ? error.cause : error;
      const code = (cause as { code?: unknown }).code;
      const known = expected.find((status) => status === code);
      if (known !== undefined) return known;
      if (typeof code === 'number' && passing.has(code) && n < throttledTries) continue;
      if (code === tooLarge)
        throw terminal(
          'invalidInput',
          `${doing} is refused by Cosmos DB: it takes 2 MB at once.`,
          'What is stored must be shorter: the settings of one workload, an environment, a calendar.',
        );
      throw toMigrationError(cause, doing);
    }
  }
}

export class CosmosCollection implements Collection {
  readonly beforeNextTry = beforeNextTry;
  readonly #container: Container;

  constructor(container: Container) {
    this.#container = container;
  }

  async read<T extends Stored>(key: Key, id: string): Promise<Read<T> | undefined> {
    if (!canBeId.test(id)) return undefined;
    const answer = await attempt(`reading ${id}`, () => this.#container.item(id, [...key]).read(), [404]);
    if (answer === 404 || answer.resource === undefined) return undefined;
    const { value, etag } = bare<T>(answer.resource as Record<string, unknown>);
    return { value, etag };
  }

  async create(_key: Key, document: Stored): Promise<'created' | 'exists'> {
    const answer = await attempt(`creating ${document.id}`, () => this.#container.items.create(document), [409]);
    return answer === 409 ? 'exists' : 'created';
  }

  async put(_key: Key, document: Stored): Promise<void> {
    await attempt(`storing ${document.id}`, () => this.#container.items.upsert(document), []);
  }

  async replace(key: Key, document: Stored, etag: string): Promise<'replaced' | 'changed'> {
    const accessCondition = { type: 'IfMatch', condition: etag };
    const replace = () => this.#container.item(document.id, [...key]).replace(document, { accessCondition });
    const answer = await attempt(`replacing ${document.id}`, replace, [404, 412]);
    return typeof answer === 'number' ? 'changed' : 'replaced';
  }

  async remove(key: Key, id: string): Promise<void> {
    await attempt(`deleting ${id}`, () => this.#container.item(id, [...key]).delete(), [404]);
  }

  async commit(key: Key, { replace, create }: Batch): Promise<'committed' | 'changed' | 'exists'> {
    const operations = [
      ...replace.map(({ document, etag }) => ({
        operationType: 'Replace' as const,
        id: document.id,
        ifMatch: etag,
        resourceBody: json(document),
      })),
      ...create.map((document) => ({ operationType: 'Create' as const, resourceBody: json(document) })),
    ];
    return attempt(`committing ${operations.length} documents`, async () => {
      const { code, result = [] } = await this.#container.items.batch(operations, [...key]);
      // A failed batch resolves, with 207 and the culprit's status among 424s.
      const culprit = result.find(({ statusCode }) => statusCode >= 400 && statusCode !== 424)?.statusCode;
      if (culprit === undefined && code !== 207) return 'committed' as const;
      if (culprit === 412 || culprit === 404) return 'changed' as const;
      if (culprit === 409) return 'exists' as const;
      throw Object.assign(new Error(`a batch of ${operations.length} operations failed with ${culprit ?? code}`), {
        code: culprit ?? code,
      });
    }, []);
  }

  async query<T extends Stored>(query: Query): Promise<T[]> {
    if (query.anyOf?.some(({ values }) => values.length === 0)) return [];
    const { text, parameters } = toSql(query);
    const options = {
      ...(query.key && { partitionKey: [...query.key] }),
      ...(query.limit && { maxItemCount: query.limit }),
    };
    const fetch = () =>
      this.#container.items.query<Record<string, unknown>>({ query: text, parameters }, options).fetchAll();
    const { resources } = await attempt(`asking for ${query.kind} documents`, fetch, []);
    return resources.map((resource) => bare<T>(resource).value);
  }
}

function toSql({ kind, anyOf, noneOf, after, orderBy, limit, fields }: Query): {
  text: string;
  parameters: SqlParameter[];
} {
  const parameters: SqlParameter[] = [{ name: '@kind', value: kind }];
  const where = ['c.kind = @kind'];
  for (const [which, { path, values }] of (anyOf ?? []).entries()) {
    const names = values.map((_, index) => `@value${which}_${index}`);
    where.push(names.length === 1 ? `c.${path} = ${names[0]}` : `c.${path} IN (${names.join(', ')})`);
    parameters.push(...values.map((value, index) => ({ name: names[index] ?? '', value })));
  }
  if (noneOf !== undefined) {
    const names = noneOf.values.map((_, index) => `@not${index}`);
    where.push(`c.${noneOf.path} NOT IN (${names.join(', ')})`);
    parameters.push(...noneOf.values.map((value, index) => ({ name: `@not${index}`, value })));
  }
  if (after !== undefined) {
    where.push(`c.${after.path} > @after`);
    parameters.push({ name: '@after', value: after.value });
  }
  const order = orderBy === undefined ? '' : ` ORDER BY c.${orderBy.path} ${orderBy.descending ? 'DESC' : 'ASC'}`;
  const what = fields === undefined ? '*' : fields.map((field) => `c.${field}`).join(', ');
  return {
    text: `SELECT${limit === undefined ? '' : ` TOP ${limit}`} ${what} FROM c WHERE ${where.join(' AND ')}${order}`,
    parameters,
  };
}

/** A document without the service's own properties. */
function bare<T extends Stored>(resource: Record<string, unknown>): Read<T> {
  const { _rid, _self, _etag, _attachments, _ts, ...value } = resource;
  return { value: value as unknown as T, etag: String(_etag) };
}

/** What travels: JSON has no `undefined`. */
function json(document: Stored): JSONObject {
  return JSON.parse(JSON.stringify(document)) as JSONObject;
}
