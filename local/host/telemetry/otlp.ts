// Spans of invocations, sent as OTLP over HTTP by the unmodified OpenTelemetry SDK, which reads endpoint, headers, service
// name and resource attributes from the settings itself (they are the process's environment).
import { createHash } from 'node:crypto';
import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace as traceApi,
  type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { readFailure } from '../../durable/wire.ts';
import type { HostLog } from '../log.ts';
import { describeSpan } from './attributes.ts';
import type { SpanSource } from './spans.ts';
import { incomingTrace, incomingTraces, type TraceContext } from './traceContext.ts';

/** A source that exports to the collector that the environment names. */
export function otlpSpans(seed: string, log: HostLog): SpanSource {
  const say =
    (level: string) =>
    (message: string, ...more: unknown[]) =>
      log.line(level, 'telemetry', [message, ...more.map(String)].join(' '));
  const quiet = () => {};
  diag.setLogger(
    { error: say('warning'), warn: say('warning'), info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const idGenerator = new TraceIds();
  const provider = new TracerProvider({
    idGenerator,
    resource: defaultResource().merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('local-functions-host');
  return {
    start(metadata, invocationId, request) {
      const parent = incomingTrace(request);
      const { name, ...options } = describeSpan(metadata, invocationId, request);
      const links = incomingTraces(request).map((each) => ({ context: spanContext(each) }));
      // Episodes and activities are no calls of one another; all of one instance share a trace.
      const { instanceId } = request;
      idGenerator.next =
        instanceId === undefined
          ? undefined
          : createHash('sha256').update(`${seed}/${instanceId}`).digest('hex').slice(0, 32);
      const context = parent ? traceApi.setSpanContext(ROOT_CONTEXT, spanContext(parent)) : ROOT_CONTEXT;
      const span = tracer.startSpan(name, { ...options, links }, context);
      return {
        trace: contextOf(span.spanContext()),
        end(error, status) {
          if (status !== undefined) span.setAttribute('http.response.status_code', status);
          if (error !== undefined) span.recordException(withoutState(error, metadata.name));
          if (error !== undefined || (status !== undefined && status >= 500)) {
            span.setAttribute('error.type', error instanceof Error ? error.name : String(status ?? '_OTHER'));
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
    stop: () => provider.shutdown().catch((error: unknown) => say('warning')('the last spans are lost:', error)),
  };
}

// The message of a failed orchestrator holds its whole state, for the engine.
function withoutState(error: unknown, name: string): Error | string {
  if (!(error instanceof Error)) return String(error);
  return error.message.includes('$OutOfProcData$') ? (readFailure(error, name).error?.message ?? error.name) : error;
}

/** Random ids, except for a trace whose id is given. */
class TraceIds extends RandomIdGenerator {
  next: string | undefined;

  override generateTraceId(): string {
    return this.next ?? super.generateTraceId();
  }
}

function spanContext({ traceParent, traceState }: TraceContext): SpanContext {
  const [, traceId = '', spanId = '', flags = ''] = traceParent.split('-');
  return {
    ...{ traceId, spanId, isRemote: true },
    traceFlags: Number.parseInt(flags, 16),
    ...(traceState !== undefined && { traceState: createTraceState(traceState) }),
  };
}

function contextOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const flags = traceFlags.toString(16).padStart(2, '0');
  const state = traceState?.serialize();
  return { traceParent: `00-${traceId}-${spanId}-${flags}`, ...(state && { traceState: state }) };
}
