// Where a request goes: by its path, then by method and headers.
import { CosmosError, notSupported } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { AuthOptions } from './auth.ts';
import { authenticate, requireDataPlane } from './auth.ts';
import { batch } from './batch.ts';
import { container, containers, database, databases } from './definitions.ts';
import { feed } from './feed.ts';
import { addItem, item } from './items.ts';
import { header, isTrue, type Reply, type Request } from './message.ts';
import { query, queryPlan } from './query.ts';
import { accountReply, rangesReply } from './resources.ts';

const METHODS: Record<string, string[]> = {
  '/': ['GET'],
  dbs: ['GET', 'POST'],
  'dbs/*': ['GET', 'DELETE'],
  'dbs/*/colls': ['GET', 'POST'],
  'dbs/*/colls/*': ['GET', 'PUT', 'DELETE'],
  'dbs/*/colls/*/pkranges': ['GET'],
  'dbs/*/colls/*/docs': ['GET', 'POST'],
  'dbs/*/colls/*/docs/*': ['GET', 'PUT', 'PATCH', 'DELETE'],
};

export async function route(store: Store, auth: AuthOptions, request: Request): Promise<Reply> {
  const principal = await authenticate(request, auth);
  requireDataPlane(principal, request);

  const { path, method } = request;
  const shape = path.map((segment, index) => (index % 2 === 0 ? segment : '*')).join('/') || '/';
  const methods = METHODS[shape];
  if (!methods) throw notSupported(`The resource /${path.join('/')}`);
  if (!methods.includes(method)) {
    throw new CosmosError(405, 'MethodNotAllowed', `${method} is not allowed on /${path.join('/')}.`);
  }

  const [, databaseId = '', , containerId = '', , id = ''] = path;
  switch (shape) {
    case '/':
      return accountReply(request);
    case 'dbs':
      return databases(store, request);
    case 'dbs/*':
      return database(store, request, databaseId);
    case 'dbs/*/colls':
      return containers(store, request, databaseId);
    case 'dbs/*/colls/*':
      return container(store, request, databaseId, containerId);
    case 'dbs/*/colls/*/pkranges': {
      // The client asks until the list no longer changes; it never does.
      const ranges = rangesReply(store.catalog.container(databaseId, containerId));
      return header(request, 'if-none-match') === ranges.headers?.etag ? { ...ranges, status: 304 } : ranges;
    }
    case 'dbs/*/colls/*/docs/*':
      return item(store, request, store.catalog.container(databaseId, containerId), id);
    default:
      return documents(store, request, databaseId, containerId);
  }
}

function documents(store: Store, request: Request, databaseId: string, containerId: string): Promise<Reply> {
  const found = store.catalog.container(databaseId, containerId);
  if (request.method === 'GET') return feed(store, request, found);
  if (isTrue(request, 'x-ms-cosmos-is-query-plan-request')) return queryPlan(request, found);
  const isQuery = isTrue(request, 'x-ms-documentdb-isquery');
  if (isQuery || header(request, 'content-type')?.includes('query+json')) return query(store, request, found);
  if (isTrue(request, 'x-ms-cosmos-is-batch-request')) return batch(store, request, found);
  return addItem(store, request, found);
}
