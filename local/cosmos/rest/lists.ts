// Lists of databases, containers and offers: whole, or what a query finds in them.

import { badRequest } from '../errors.ts';
import { isJsonObject, member } from '../json.ts';
import { parametersOf, prepare } from '../sql/execute.ts';
import { parseQuery } from '../sql/parser.ts';
import { header, isTrue, jsonBody, type Reply, type Request } from './message.ts';

export const isQuery = (request: Request) =>
  isTrue(request, 'x-ms-documentdb-isquery') || header(request, 'content-type')?.includes('query+json') === true;

export function listReply(request: Request, name: string, rid: string, list: object[]): Reply {
  const found = request.method === 'POST' ? ask(jsonBody(request), list) : list;
  return {
    status: 200,
    headers: { 'x-ms-item-count': String(found.length) },
    body: { _rid: rid, [name]: found, _count: found.length },
  };
}

function ask(body: unknown, list: object[]): unknown[] {
  const text = member(body, 'query');
  if (typeof text !== 'string') throw badRequest('A query needs its text in `query`.');
  return prepare(parseQuery(text), parametersOf(isJsonObject(body) ? body.parameters : undefined)).collect(list);
}
