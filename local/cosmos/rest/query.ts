// Queries and query plans over REST. A query that spans partitions and needs merging is refused as the service's
// gateway refuses it, although this server could answer: code that works here must work there.
import { parseQuestion, planBody, planOf, refuseMerge, runQuery } from '../operations/query.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { containerHeaders, header, jsonBody, type Reply, type Request } from './message.ts';
import { pageSize, targetRange } from './target.ts';

export async function queryPlan(request: Request, container: Container): Promise<Reply> {
  const plan = planOf(parseQuestion(jsonBody(request), container));
  return { status: 200, headers: containerHeaders(container, 1), body: planBody(plan) };
}

export function query(store: Store, request: Request, container: Container): Promise<Reply> {
  return answerQuery(store, request, container, jsonBody(request));
}

export async function answerQuery(store: Store, request: Request, container: Container, body: unknown): Promise<Reply> {
  const question = parseQuestion(body, container);
  const isTargeted =
    header(request, 'x-ms-documentdb-partitionkey') !== undefined ||
    header(request, 'x-ms-documentdb-partitionkeyrangeid') !== undefined;
  if (!isTargeted) {
    const plan = planOf(question);
    if (!plan.isPlain) throw refuseMerge(plan);
  }
  const { results, continuation } = await store.read(() =>
    runQuery(store, container, question, {
      range: targetRange(request, container),
      maxItems: pageSize(request),
      continuation: header(request, 'x-ms-continuation'),
    }),
  );
  return {
    status: 200,
    headers: {
      ...containerHeaders(container, Number((2.8 + results.length * 0.05).toFixed(2))),
      'x-ms-item-count': String(results.length),
      'x-ms-continuation': continuation,
      'x-ms-cosmos-query-execution-info': JSON.stringify({ reverseRidEnabled: true, reverseIndexScan: false }),
    },
    body: `{"_rid":"${container.rid}","Documents":[${results.join(',')}],"_count":${results.length}}`,
  };
}
