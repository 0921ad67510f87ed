// Point operations over REST: POST …/docs and …/docs/{id}.
import {
  createItem,
  deleteItem,
  type Outcome,
  type Preconditions,
  readItem,
  replaceItem,
  upsertItem,
} from '../operations/items.ts';
import { patchItem } from '../operations/patch.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { containerHeaders, header, isTrue, jsonBody, objectBody, type Reply, type Request } from './message.ts';
import { requiredKey, type Target } from './target.ts';

export async function addItem(store: Store, request: Request, container: Container, target: Target): Promise<Reply> {
  const document = objectBody(request);
  const key = requiredKey(target);
  const when = preconditions(request);
  const isUpsert = isTrue(request, 'x-ms-documentdb-is-upsert');
  const outcome = await store.write(container, (transaction) =>
    isUpsert ? upsertItem(transaction, key, document, when) : createItem(transaction, key, document),
  );
  return toReply(request, container, outcome);
}

export async function item(
  store: Store,
  request: Request,
  container: Container,
  target: Target,
  id: string,
): Promise<Reply> {
  const key = requiredKey(target);
  const when = preconditions(request);
  if (request.method === 'GET') {
    const outcome = await store.read(() => readItem(store, container, key, id, store.now(), when));
    return toReply(request, container, outcome);
  }
  if (request.method === 'DELETE') {
    const outcome = await store.write(container, (transaction) => deleteItem(transaction, key, id, when));
    return toReply(request, container, outcome);
  }
  if (request.method === 'PATCH') {
    const patch = jsonBody(request);
    const outcome = await store.write(container, (transaction) => patchItem(transaction, key, id, patch, when));
    return toReply(request, container, outcome);
  }
  const document = objectBody(request);
  const outcome = await store.write(container, (transaction) => replaceItem(transaction, key, id, document, when));
  return toReply(request, container, outcome);
}

function preconditions(request: Request): Preconditions {
  return { ifMatch: header(request, 'if-match'), ifNoneMatch: header(request, 'if-none-match') };
}

function toReply(request: Request, container: Container, { status, charge, etag, body }: Outcome): Reply {
  const isMinimal = request.method !== 'GET' && header(request, 'prefer')?.toLowerCase() === 'return=minimal';
  return { status, headers: containerHeaders(container, charge, etag), body: isMinimal ? undefined : body };
}
