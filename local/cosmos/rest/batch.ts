// Batches over REST: `x-ms-cosmos-batch-atomic` tells a transactional batch from a bulk request.
import { checkBatch, type OperationResult, runAtomic, runBulk } from '../operations/batch.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { containerHeaders, header, isTrue, jsonBody, type Reply, type Request } from './message.ts';
import { requiredKey, type Target } from './target.ts';

/** A result with its item, which is JSON already. */
function resultText({ body, ...result }: OperationResult): string {
  const text = JSON.stringify(result);
  return body === undefined ? text : `${text.slice(0, -1)},"resourceBody":${body}}`;
}

export async function batch(store: Store, request: Request, container: Container, target: Target): Promise<Reply> {
  const operations = checkBatch(jsonBody(request), request.body.length);
  const isMinimal = header(request, 'prefer')?.toLowerCase() === 'return=minimal';
  const { status, results } = isTrue(request, 'x-ms-cosmos-batch-atomic')
    ? await runAtomic(store, container, requiredKey(target), operations, isMinimal)
    : await runBulk(store, container, operations, {
        isMinimal,
        continueOnError: isTrue(request, 'x-ms-cosmos-batch-continue-on-error'),
      });
  const charge = results.reduce((sum, { requestCharge }) => sum + requestCharge, 0);
  return {
    status,
    headers: containerHeaders(container, Number(charge.toFixed(2))),
    body: `[${results.map(resultText).join(',')}]`,
  };
}
