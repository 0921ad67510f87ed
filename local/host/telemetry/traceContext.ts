// Trace contexts of W3C (https://www.w3.org/TR/trace-context/), as they come in with a request or a message.
import type { InvocationRequest } from '../invoke.ts';

/** The shape that `@azure/functions` reads. */
export interface TraceContext {
  traceParent: string;
  traceState?: string;
}

const wellFormed = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a single request or message continues. */
export function incomingTrace(request: InvocationRequest): TraceContext | undefined {
  const headers = request.data.http?.['headers'] ?? parsed(request.triggerMetadata?.['Headers']?.json);
  return headers ? traceIn(headers) : traceIn(parsed(request.triggerMetadata?.['ApplicationProperties']?.json));
}

/** What the messages of a batch continue; a batch has many parents, or none. */
export function incomingTraces(request: InvocationRequest): TraceContext[] {
  const list = parsed(request.triggerMetadata?.['ApplicationPropertiesArray']?.json);
  return Array.isArray(list) ? list.map(traceIn).filter((trace) => trace !== undefined) : [];
}

function parsed(json: string | undefined): unknown {
  return json !== undefined && /traceparent|diagnostic-id/i.test(json) ? JSON.parse(json) : undefined;
}

// Azure's messaging clients call it Diagnostic-Id
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-end-to-end-tracing).
function traceIn(properties: unknown): TraceContext | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined;
  const lower = new Map(Object.entries(properties).map(([name, value]) => [name.toLowerCase(), value]));
  const traceParent: unknown = lower.get('traceparent') ?? lower.get('diagnostic-id');
  if (typeof traceParent !== 'string' || !wellFormed.test(traceParent)) return undefined;
  const traceState: unknown = lower.get('tracestate');
  return { traceParent, ...(typeof traceState === 'string' && traceState !== '' && { traceState }) };
}
