// Databases and containers over REST. They exist for clients with the master key; the local Azure declares its own at
// start, as a deployment would.
import { badRequest, notSupported } from '../errors.ts';
import { member } from '../json.ts';
import type { Store } from '../store/store.ts';
import { isQuery, listReply } from './lists.ts';
import { containerHeaders, objectBody, type Reply, type Request } from './message.ts';
import { askedThroughput } from './offers.ts';
import { containerResource, databaseResource } from './resources.ts';

export async function databases(store: Store, request: Request): Promise<Reply> {
  if (request.method === 'GET' || isQuery(request)) {
    return listReply(request, 'Databases', '', [...store.catalog.databases.values()].map(databaseResource));
  }
  if (askedThroughput(request)) throw notSupported('Throughput that the containers of a database share');
  const id = member(objectBody(request), 'id');
  if (typeof id !== 'string') throw badRequest('A database needs an id.');
  const created = await store.define((catalog) => catalog.createDatabase(id));
  return { status: 201, body: databaseResource(created) };
}

export async function database(store: Store, request: Request, id: string): Promise<Reply> {
  if (request.method === 'DELETE') {
    await store.define((catalog) => {
      for (const found of catalog.database(id).containers.values()) store.indexes.drop(found);
      catalog.deleteDatabase(id);
    });
    return { status: 204 };
  }
  return { status: 200, body: databaseResource(store.catalog.database(id)) };
}

export async function containers(store: Store, request: Request, databaseId: string): Promise<Reply> {
  const database = store.catalog.database(databaseId);
  if (request.method === 'GET' || isQuery(request)) {
    const list = [...database.containers.values()].map(containerResource);
    return listReply(request, 'DocumentCollections', database.rid, list);
  }
  const body = objectBody(request);
  const throughput = askedThroughput(request);
  const created = await store.define((catalog) => catalog.createContainer(databaseId, body, throughput));
  return { status: 201, headers: containerHeaders(created, 1), body: containerResource(created) };
}

export async function container(store: Store, request: Request, databaseId: string, id: string): Promise<Reply> {
  const found = store.catalog.container(databaseId, id);
  if (request.method === 'DELETE') {
    await store.define((catalog) => {
      store.indexes.drop(found);
      catalog.deleteContainer(found);
    });
    return { status: 204 };
  }
  if (request.method === 'PUT') {
    const body = objectBody(request);
    await store.define((catalog) => catalog.replaceContainer(found, body));
  }
  return { status: 200, headers: containerHeaders(found, 1), body: containerResource(found) };
}
