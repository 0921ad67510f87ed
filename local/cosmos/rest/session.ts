// Session consistency: every answer names how far its range has come, and a read that names more is told to come
// again. A number is told when it is on disk: a server that was killed never has less. The numbers count the changes of the whole container, which is more than the service promises of a range.
import { CosmosError } from '../errors.ts';
import type { Container } from '../store/catalog.ts';
import { header, type Request } from './message.ts';

export const sessionToken = (container: Container, rangeId: number) => `${rangeId}:-1#${container.durableLsn}`;

/** Throws 404 with substatus 1002 when the client has seen what is not here. */
export function checkSession(request: Request, container: Container): void {
  const seen = header(request, 'x-ms-session-token');
  if (seen === undefined) return;
  const isAhead = seen.split(',').some((token) => Number(/#(\d+)/.exec(token)?.[1] ?? 0) > container.lsn);
  if (isAhead) {
    throw new CosmosError(404, 'NotFound', 'The read session is not available for the input session token.', 1002);
  }
}
