// Service Bus messages as the Node worker gets them: the body as text where it is text, and the trigger metadata under
// the names of the Service Bus extension (one value, or arrays for a batch).
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { InvocationRequest } from '../invoke.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined when the bytes are no UTF-8. */
function textOf(body: unknown): string | undefined {
  if (!(body instanceof Uint8Array)) return typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

// The wire counts failed deliveries; the extension counts this delivery too.
const metadataOf = (message: ServiceBusReceivedMessage): Record<string, unknown> => ({
  MessageId: message.messageId,
  SequenceNumber: Number(message.sequenceNumber?.toString() ?? 0),
  DeliveryCount: (message.deliveryCount ?? 0) + 1,
  EnqueuedTimeUtc: message.enqueuedTimeUtc?.toISOString(),
  ExpiresAtUtc: message.expiresAtUtc?.toISOString(),
  ContentType: message.contentType,
  CorrelationId: message.correlationId,
  Subject: message.subject,
  Label: message.subject,
  To: message.to,
  ReplyTo: message.replyTo,
  SessionId: message.sessionId,
  PartitionKey: message.partitionKey,
  LockToken: message.lockToken,
  DeadLetterSource: message.deadLetterSource,
  DeadLetterReason: message.deadLetterReason,
  DeadLetterErrorDescription: message.deadLetterErrorDescription,
  ApplicationProperties: message.applicationProperties ?? {},
  UserProperties: message.applicationProperties ?? {},
});

/** Trigger data and metadata for one message, or for a batch. */
export function messageRequest(messages: readonly ServiceBusReceivedMessage[], many: boolean): InvocationRequest {
  const all = messages.map(metadataOf);
  const triggerMetadata: Record<string, { json: string }> = {};
  for (const name of Object.keys(all[0] ?? {})) {
    const values = all.map((metadata) => metadata[name] ?? null);
    if (many) triggerMetadata[`${name}Array`] = { json: JSON.stringify(values) };
    else if (values[0] !== null) triggerMetadata[name] = { json: JSON.stringify(values[0]) };
  }
  return { data: many ? batchData(messages) : oneData(messages[0]?.body), triggerMetadata };
}

function oneData(body: unknown): InvocationRequest['data'] {
  const text = textOf(body);
  return text === undefined ? { bytes: body as Uint8Array } : { string: text };
}

function batchData(messages: readonly ServiceBusReceivedMessage[]): InvocationRequest['data'] {
  const texts = messages.map(({ body }) => textOf(body));
  if (texts.every((text) => text !== undefined)) return { collectionString: { string: texts } };
  return { collectionBytes: { bytes: messages.map(({ body }) => Buffer.from(body as Uint8Array)) } };
}
