// Queries and query plans over REST. A query that spans partitions and needs merging is refused as the service's
// gateway refuses it, although this server could answer: code that works here must work there.
import { chargeOfQuery } from '../operations/charge.ts';
import { type Metrics, parseQuestion, planBody, planOf, refuseMerge, runQuery } from '../operations/query.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { containerHeaders, header, isTrue, jsonBody, type Reply, type Request } from './message.ts';
import { pageSize, type Target } from './target.ts';

export async function queryPlan(request: Request, container: Container): Promise<Reply> {
  const question = parseQuestion(jsonBody(request), container);
  const body = planBody(planOf(question), question, container);
  return { status: 200, headers: containerHeaders(container, 1), body };
}

export function query(store: Store, request: Request, container: Container, target: Target): Promise<Reply> {
  return answerQuery(store, request, container, target, jsonBody(request));
}

export async function answerQuery(
  store: Store,
  request: Request,
  container: Container,
  target: Target,
  body: unknown,
): Promise<Reply> {
  const question = parseQuestion(body, container);
  if (!target.isChosen) {
    const plan = planOf(question);
    if (!plan.isPlain) throw refuseMerge(plan, question, container);
  }
  const { text, count, continuation, metrics } = await store.read(() =>
    runQuery(store, container, question, {
      range: target.range,
      maxItems: pageSize(request),
      continuation: header(request, 'x-ms-continuation'),
    }),
  );
  return {
    status: 200,
    headers: {
      ...containerHeaders(container, chargeOfQuery(count, text.length)),
      'x-ms-item-count': String(count),
      'x-ms-continuation': continuation,
      ...(isTrue(request, 'x-ms-documentdb-populatequerymetrics') && {
        'x-ms-documentdb-query-metrics': metricsText(metrics, count, text.length),
      }),
      'x-ms-cosmos-query-execution-info': JSON.stringify({ reverseRidEnabled: true, reverseIndexScan: false }),
    },
    body: listBody(container, text, count),
  };
}

/** A list of documents that are JSON text already, or even bytes. */
export function listBody({ rid }: Container, text: string | Uint8Array, count: number): string | Uint8Array {
  const [head, tail] = [`{"_rid":"${rid}","Documents":[`, `],"_count":${count}}`];
  if (typeof text === 'string') return head + text + tail;
  return Buffer.concat([Buffer.from(head), text, Buffer.from(tail)]);
}

/** In the service's form, as far as there is something to tell. */
function metricsText({ retrieved, compileMs, totalMs }: Metrics, count: number, bytes: number): string {
  const ratio = retrieved === 0 ? 1 : Math.min(1, count / retrieved);
  return [
    `totalExecutionTimeInMs=${totalMs.toFixed(2)}`,
    `queryCompileTimeInMs=${compileMs.toFixed(2)}`,
    `retrievedDocumentCount=${retrieved}`,
    `outputDocumentCount=${count}`,
    `outputDocumentSize=${bytes}`,
    `indexUtilizationRatio=${ratio.toFixed(2)}`,
  ].join(';');
}
