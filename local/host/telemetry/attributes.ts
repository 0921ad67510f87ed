// What a span says about an invocation, in the words of OpenTelemetry's semantic conventions
// (https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/, …/http/http-spans/, …/messaging/messaging-spans/).
import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { Binding, FunctionMetadata } from '../coreModule.ts';
import type { InvocationRequest } from '../invoke.ts';

interface SpanDescription {
  name: string;
  kind: SpanKind;
  attributes: Attributes;
}

/** Name, kind and attributes of the span of an invocation. */
export function describeSpan(
  metadata: FunctionMetadata,
  invocationId: string,
  request: InvocationRequest,
): SpanDescription {
  const binding = Object.values(metadata.bindings).find(({ type }) => /trigger$/i.test(type));
  const { name = metadata.name, kind, faasTrigger, attributes } = kinds(binding, request);
  const { instanceId } = request;
  return {
    name,
    kind,
    attributes: {
      'faas.name': metadata.name,
      'faas.trigger': faasTrigger,
      'faas.invocation_id': invocationId,
      ...(instanceId !== undefined && { 'durabletask.task.instance_id': instanceId }),
      ...attributes,
    },
  };
}

interface Kind {
  name?: string;
  kind: SpanKind;
  faasTrigger: 'http' | 'pubsub' | 'datasource' | 'timer' | 'other';
  attributes: Attributes;
}

function kinds(binding: Binding | undefined, request: InvocationRequest): Kind {
  switch (binding?.type.toLowerCase()) {
    case 'httptrigger':
      return http(request);
    case 'servicebustrigger':
      return { kind: SpanKind.CONSUMER, faasTrigger: 'pubsub', attributes: serviceBus(binding, request) };
    case 'eventgridtrigger': {
      const attributes = { 'messaging.system': 'eventgrid', 'messaging.operation.type': 'process' };
      return { kind: SpanKind.CONSUMER, faasTrigger: 'pubsub', attributes };
    }
    case 'cosmosdbtrigger':
      return { kind: SpanKind.INTERNAL, faasTrigger: 'datasource', attributes: { 'db.system.name': 'azure.cosmosdb' } };
    case 'timertrigger':
      return { kind: SpanKind.INTERNAL, faasTrigger: 'timer', attributes: {} };
    default:
      return { kind: SpanKind.INTERNAL, faasTrigger: 'other', attributes: {} };
  }
}

// The query stays out: it may hold a key.
function http({ data, route }: InvocationRequest): Kind {
  const method = String(data.http?.['method'] ?? '_OTHER');
  const url = URL.parse(String(data.http?.['url']));
  return {
    name: route === undefined ? method : `${method} /${route}`,
    kind: SpanKind.SERVER,
    faasTrigger: 'http',
    attributes: {
      'http.request.method': method,
      ...(route !== undefined && { 'http.route': `/${route}` }),
      ...(url && {
        'url.path': url.pathname,
        'url.scheme': url.protocol.slice(0, -1),
        'server.address': url.hostname,
        ...(url.port !== '' && { 'server.port': Number(url.port) }),
      }),
    },
  };
}

function serviceBus(binding: Binding, { triggerMetadata }: InvocationRequest): Attributes {
  const entity = binding['queueName'] ?? binding['topicName'];
  const subscription = binding['subscriptionName'];
  const messageId = triggerMetadata?.['MessageId']?.string;
  const batch: unknown = JSON.parse(triggerMetadata?.['SequenceNumberArray']?.json ?? 'null');
  return {
    'messaging.system': 'servicebus',
    'messaging.operation.type': 'process',
    ...(typeof entity === 'string' && { 'messaging.destination.name': entity }),
    ...(typeof subscription === 'string' && { 'messaging.destination.subscription.name': subscription }),
    ...(Array.isArray(batch) && { 'messaging.batch.message_count': batch.length }),
    ...(messageId !== undefined && { 'messaging.message.id': messageId }),
  };
}
