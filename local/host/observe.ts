// What is said about each invocation: a line at its start and one at its end, as the Functions host logs them, and a span
// where spans are exported. Nothing is prepared for what nobody reads.
import type { FunctionMetadata } from './coreModule.ts';
import type { InvocationRequest } from './invoke.ts';
import type { HostLog } from './log.ts';
import type { SpanSource, TraceContext } from './telemetry/spans.ts';
import { incomingTrace } from './telemetry/traceContext.ts';

export interface Observed {
  /** Handed to the function, so that its own spans belong to this trace. */
  trace: TraceContext | undefined;
  /** Called once; `error` is what the invocation failed with, `status` that of its HTTP answer. */
  end(error?: unknown, status?: number): void;
}

export class Observer {
  readonly #log: HostLog;
  readonly #spans: SpanSource | undefined;

  constructor(log: HostLog, spans: SpanSource | undefined) {
    this.#log = log;
    this.#spans = spans;
  }

  begin(metadata: FunctionMetadata, invocationId: string, request: InvocationRequest): Observed {
    const { name } = metadata;
    const span = this.#spans?.start(metadata, invocationId, request);
    const trace = span?.trace ?? incomingTrace(request);
    const trigger = triggerOf(metadata);
    // An orchestrator runs anew for each step; one line each would drown all others.
    const level = trigger === 'orchestration' || trigger === 'entity' ? 'debug' : 'information';
    const isLogged = this.#log.isOn(level, `Function.${name}`);
    if (!isLogged) return { trace, end: (error, status) => span?.end(error, status) };
    const instance = request.instanceId === undefined ? {} : { instanceId: request.instanceId };
    const about = { invocationId, trigger, ...instance };
    this.#log.line(level, name, `Executing 'Functions.${name}'`, about);
    const started = performance.now();
    return {
      trace,
      end: (error, status) => {
        span?.end(error, status);
        const outcome = error === undefined ? 'Succeeded' : 'Failed';
        const durationMs = Math.round(performance.now() - started);
        this.#log.line(level, name, `Executed 'Functions.${name}' (${outcome})`, { ...about, outcome, durationMs });
      },
    };
  }
}

/** The kind of trigger as lines name it: `http`, `timer`, `serviceBus`. */
function triggerOf({ bindings }: FunctionMetadata): string {
  for (const { type } of Object.values(bindings)) if (/trigger$/i.test(type)) return type.slice(0, -'Trigger'.length);
  return '';
}
