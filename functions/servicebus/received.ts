// A batch as the Functions host describes it: bodies in one list, what is known about each in parallel lists
// (https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger#message-metadata).
import type { InvocationContext } from '@azure/functions';
import type { Received } from './quarantine.ts';

export function receivedBatch(bodies: unknown, context: Pick<InvocationContext, 'triggerMetadata'>): Received[] {
  const metadata = context.triggerMetadata ?? {};
  const list = Array.isArray(bodies) ? bodies : [bodies];
  return list.map((body: unknown, index) => {
    const sessionId = text(metadata, 'sessionId', index);
    return {
      body,
      messageId: text(metadata, 'messageId', index) ?? 'unknown',
      ...(sessionId === undefined ? {} : { sessionId }),
      deliveryCount: Number(of(metadata, 'deliveryCount', index) ?? 0),
    };
  });
}

/**
 * Why the service gave a message up. The host tells it nowhere but in the message's own properties, whose names
 * @azure/functions@4.16.5 begins with a small letter.
 */
export function deadLetterReason(context: Pick<InvocationContext, 'triggerMetadata'>): string | undefined {
  const properties = { ...(context.triggerMetadata?.['applicationProperties'] ?? {}) } as Record<string, unknown>;
  const said = [properties['deadLetterReason'], properties['deadLetterErrorDescription']];
  return said.filter((each) => typeof each === 'string' && each !== '').join(': ') || undefined;
}

/** One value of a batch: in `nameArray` for many messages, in `name` for one or where all share it. */
function of(metadata: Record<string, unknown>, name: string, index: number): unknown {
  const list = metadata[`${name}Array`];
  if (Array.isArray(list)) return list[index] as unknown;
  const single = metadata[name];
  return Array.isArray(single) ? (single[index] as unknown) : single;
}

function text(metadata: Record<string, unknown>, name: string, index: number): string | undefined {
  const value = of(metadata, name, index);
  // @azure/functions@4.16.5 parses texts that are JSON: an id of digits arrives as a number.
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
