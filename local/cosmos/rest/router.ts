// Where a request goes: by its path, then by method and headers.
import { CosmosError, notSupported } from '../errors.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import type { AuthOptions } from './auth.ts';
import { authenticate, requireDataPlane } from './auth.ts';
import { batch } from './batch.ts';
import { container, containers, database, databases } from './definitions.ts';
import { feed } from './feed.ts';
import { addItem, item } from './items.ts';
import { isQuery } from './lists.ts';
import { header, isTrue, type Reply, type Request } from './message.ts';
import { offer, offers } from './offers.ts';
import { query, queryPlan } from './query.ts';
import { accountReply, rangesReply } from './resources.ts';
import { checkSession, sessionToken } from './session.ts';
import { type Target, targetOf } from './target.ts';

const METHODS: Record<string, string[]> = {
  '/': ['GET'],
  offers: ['GET', 'POST'],
  'offers/*': ['GET', 'PUT'],
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
    case 'offers':
      return offers(store, request);
    case 'offers/*':
      return offer(store, request, databaseId);
    case 'dbs':
      return databases(store, request);
    case 'dbs/*':
      return database(store, request, databaseId);
    case 'dbs/*/colls':
      return containers(store, request, databaseId);
    case 'dbs/*/colls/*':
      return container(store, request, databaseId, containerId);
    case 'dbs/*/colls/*/pkranges': {
      // The client asks until the list no longer changes.
      const ranges = rangesReply(store.catalog.container(databaseId, containerId));
      return header(request, 'if-none-match') === ranges.headers?.etag ? { ...ranges, status: 304 } : ranges;
    }
    default:
      return data(
        store,
        request,
        store.catalog.container(databaseId, containerId),
        shape.endsWith('*') ? id : undefined,
      );
  }
}

/** Items, queries and feeds: charged to the physical partition that they are about. */
async function data(store: Store, request: Request, found: Container, id: string | undefined): Promise<Reply> {
  if (isTrue(request, 'x-ms-cosmos-is-query-plan-request')) return queryPlan(request, found);
  const target = targetOf(request, found);
  checkSession(request, found);
  store.throttle?.admit(found, target.rangeId);
  const answering =
    id === undefined ? documents(store, request, found, target) : item(store, request, found, target, id);
  const { headers, ...reply } = await answering.catch((error: unknown) => {
    // What is refused has cost something as well.
    store.throttle?.spend(found, target.rangeId, 1);
    throw error;
  });
  store.throttle?.spend(found, target.rangeId, Number(headers?.['x-ms-request-charge'] ?? 1));
  return { ...reply, headers: { ...headers, 'x-ms-session-token': sessionToken(found, target.rangeId) } };
}

function documents(store: Store, request: Request, found: Container, target: Target): Promise<Reply> {
  if (request.method === 'GET') return feed(store, request, found, target);
  if (isQuery(request)) return query(store, request, found, target);
  if (isTrue(request, 'x-ms-cosmos-is-batch-request')) return batch(store, request, found, target);
  return addItem(store, request, found, target);
}
