import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { SpanKind } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { describeSpan } from '../../../../local/host/telemetry/attributes.ts';
import { incomingTrace, incomingTraces } from '../../../../local/host/telemetry/traceContext.ts';
import { messageRequest } from '../../../../local/host/triggers/messageData.ts';

const traceParent = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const message = (body: string, applicationProperties: Record<string, string> = {}) =>
  ({ body, messageId: `id-${body}`, applicationProperties }) as unknown as ServiceBusReceivedMessage;
const metadata = {
  name: 'take',
  bindings: { m: { type: 'serviceBusTrigger', direction: 'in' as const, topicName: 'news', subscriptionName: 'all' } },
};

test('a message continues the trace that its sender wrote into it, as W3C or as Diagnostic-Id', () => {
  const one = (properties: Record<string, string>) =>
    incomingTrace(messageRequest([message('a', properties)], { isMany: false, isBinary: false }));
  expect(one({ 'Diagnostic-Id': traceParent('a') })).toEqual({ traceParent: traceParent('a') });
  expect(one({ traceparent: traceParent('b'), tracestate: 'x=y', 'Diagnostic-Id': traceParent('a') })).toEqual({
    traceParent: traceParent('b'),
    traceState: 'x=y',
  });
  expect(one({ 'Diagnostic-Id': '|old.style.1.' })).toBeUndefined();
  expect(one({ traceparent: traceParent('0') })).toBeUndefined();
  expect(one({})).toBeUndefined();
});

test('a batch continues no trace, but links to that of each message', () => {
  const messages = [
    message('a', { 'Diagnostic-Id': traceParent('a') }),
    message(''),
    message('b', { traceparent: traceParent('b') }),
  ];
  const request = messageRequest(messages, { isMany: true, isBinary: false });
  expect(incomingTrace(request)).toBeUndefined();
  expect(incomingTraces(request)).toEqual([{ traceParent: traceParent('a') }, { traceParent: traceParent('b') }]);
  expect(describeSpan(metadata, 'i', request)).toMatchObject({
    name: 'take',
    kind: SpanKind.CONSUMER,
    attributes: {
      ...{ 'faas.trigger': 'pubsub', 'messaging.system': 'servicebus', 'messaging.batch.message_count': 3 },
      ...{ 'messaging.destination.name': 'news', 'messaging.destination.subscription.name': 'all' },
    },
  });
});

test('the span of one message names it', () => {
  const request = messageRequest([message('a')], { isMany: false, isBinary: false });
  expect(describeSpan(metadata, 'i', request).attributes).toMatchObject({ 'messaging.message.id': 'id-a' });
});
