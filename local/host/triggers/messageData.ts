// Service Bus messages as the Node worker gets them: bodies and trigger metadata under the names of
// ServiceBusTriggerBindingStrategy.cs and MessageToStringConverter.cs in https://github.com/Azure/azure-sdk-for-net. The
// real host leaves empty texts out of lists (RpcMessageConversionExtensions.cs in
// https://github.com/Azure/azure-functions-host), so a list of texts may be shorter than the batch.
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { TypedData } from '../coreModule.ts';
import type { InvocationRequest } from '../invoke.ts';

type Texts = Record<string, string | undefined>;

const textsOf = (message: ServiceBusReceivedMessage): Texts => ({
  MessageId: typeof message.messageId === 'string' ? message.messageId : message.messageId?.toString(),
  ContentType: message.contentType,
  CorrelationId: message.correlationId?.toString(),
  Subject: message.subject,
  Label: message.subject,
  To: message.to,
  ReplyTo: message.replyTo,
  ReplyToSessionId: message.replyToSessionId,
  SessionId: message.sessionId,
  PartitionKey: message.partitionKey,
  // The client library does not give it away.
  TransactionPartitionKey: undefined,
  LockToken: message.lockToken,
  DeadLetterSource: message.deadLetterSource,
});

const othersOf = (message: ServiceBusReceivedMessage): Record<string, unknown> => ({
  SequenceNumber: Number(message.sequenceNumber?.toString() ?? 0),
  // The wire counts failed deliveries; .NET, and so the host, counts this delivery too.
  DeliveryCount: (message.deliveryCount ?? 0) + 1,
  EnqueuedTimeUtc: message.enqueuedTimeUtc?.toISOString(),
  EnqueuedTime: withOffset(message.enqueuedTimeUtc),
  ExpiresAtUtc: message.expiresAtUtc?.toISOString(),
  ExpiresAt: withOffset(message.expiresAtUtc),
  ApplicationProperties: message.applicationProperties ?? {},
  UserProperties: message.applicationProperties ?? {},
});

const withOffset = (time: Date | undefined) => time?.toISOString().replace('Z', '+00:00');

/** Trigger data and metadata for one message, or for a batch. Throws where the real host cannot bind the body. */
export function messageRequest(
  messages: readonly ServiceBusReceivedMessage[],
  { isMany, isBinary }: { isMany: boolean; isBinary: boolean },
): InvocationRequest {
  const bodies = isBinary ? messages.map(bytesOf) : messages.map(textOf);
  return { data: isMany ? listData(bodies) : oneData(bodies[0] ?? ''), triggerMetadata: metadataOf(messages, isMany) };
}

function metadataOf(messages: readonly ServiceBusReceivedMessage[], isMany: boolean): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {};
  const texts = messages.map(textsOf);
  for (const name of Object.keys(texts[0] ?? {})) {
    const values = texts.map((each) => each[name] ?? '');
    if (isMany) metadata[`${name}Array`] = listData(values);
    else if (texts[0]?.[name] !== undefined) metadata[name] = { string: values[0] ?? '' };
  }
  const others = messages.map(othersOf);
  for (const name of Object.keys(others[0] ?? {})) {
    const values = others.map((each) => each[name] ?? null);
    if (isMany) metadata[`${name}Array`] = { json: JSON.stringify(values) };
    else if (values[0] !== null) metadata[name] = { json: JSON.stringify(values[0]) };
  }
  return metadata;
}

const oneData = (body: string | Uint8Array): TypedData =>
  typeof body === 'string' ? { string: body } : { bytes: body };

function listData(values: readonly (string | Uint8Array)[]): TypedData {
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length === values.length) return { collectionString: { string: texts.filter((text) => text !== '') } };
  return { collectionBytes: { bytes: values.filter((value) => typeof value !== 'string') } };
}

function textOf({ body }: ServiceBusReceivedMessage): string {
  const value: unknown = body;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw new Error(`A message whose body is an AMQP value of type ${typeof value} cannot be bound to text.`);
}

function bytesOf({ body }: ServiceBusReceivedMessage): Uint8Array {
  const value: unknown = body;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw new Error(`A message whose body is an AMQP value of type ${typeof value} cannot be bound to bytes.`);
}
