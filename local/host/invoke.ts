// One invocation through the library's programming model, in the order of the Node worker: arguments, preInvocation
// hooks, handler, postInvocation hooks, response.
import { randomUUID } from 'node:crypto';
import type {
  CoreContext,
  FunctionMetadata,
  InvocationModel,
  RegisteredFunction,
  Registrations,
  TypedData,
} from './coreModule.ts';
import { withinTimeout } from './functionTimeout.ts';
import { letGoOfEpisode } from './letGo.ts';
import type { HostLog } from './log.ts';
import { within } from './within.ts';
import { Observer, type Observed } from './observe.ts';
import type { SpanSource } from './telemetry/spans.ts';
import type { TraceContext } from './telemetry/traceContext.ts';

export interface InvocationRequest {
  invocationId?: string;
  /** The trigger's data. */
  data: TypedData;
  triggerMetadata?: Record<string, TypedData>;
  /** The template that matched an HTTP request. */
  route?: string;
  /** The orchestration that an orchestrator or activity runs for. */
  instanceId?: string;
  retryContext?: { retryCount: number; maxRetryCount: number; exception?: { message: string } };
}

export interface Outcome {
  /** What the handler returned, the same object. */
  result: unknown;
  /** The result (or what `change` makes of it) as the worker would send it; HTTP only, the library reads bodies here. */
  response: (change?: (result: unknown) => unknown) => Promise<TypedData | null | undefined>;
}

/** The data of an input binding that is not the trigger. */
export type ExtraInput = (type: string) => TypedData | undefined;

/** Invokes functions of one app; supplies the extra inputs (bindings that are not the trigger). */
export class Invoker {
  readonly #registrations: Registrations;
  readonly #log: HostLog;
  readonly #extraInput: ExtraInput;
  readonly #observer: Observer;
  readonly #timeout: number | undefined;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(
    registrations: Registrations,
    log: HostLog,
    extraInput: ExtraInput,
    spans?: SpanSource,
    timeout?: number,
  ) {
    this.#registrations = registrations;
    this.#log = log;
    this.#extraInput = extraInput;
    this.#observer = new Observer(log, spans);
    this.#timeout = timeout;
  }

  /** Runs the function; rejects with what the handler threw. Failures are logged as one line by the caller's kind. */
  async invoke(target: RegisteredFunction, request: InvocationRequest): Promise<Outcome> {
    this.#running++;
    const invocationId = request.invocationId ?? randomUUID();
    const observed = this.#observer.begin(target.metadata, invocationId, request);
    try {
      const run = this.#run(target, request, invocationId, observed.trace);
      const outcome = await withinTimeout(run, this.#timeout, target.metadata.name);
      if (request.data.http) return this.#untilAnswered(outcome, observed, invocationId);
      observed.end();
      return outcome;
    } catch (error) {
      this.#log.thrownIn(error, invocationId);
      observed.end(error, request.data.http && 500);
      throw error;
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Resolves when nothing runs, or after `milliseconds`; answers how many still run. */
  async drain(milliseconds?: number): Promise<number> {
    if (this.#running === 0) return 0;
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
    await within(milliseconds, idle);
    return this.#running;
  }

  async #run(
    { metadata, callback }: RegisteredFunction,
    request: InvocationRequest,
    invocationId: string,
    traceContext: TraceContext | undefined,
  ): Promise<Outcome> {
    const { model: library } = this.#registrations;
    if (!library) throw new Error('The app uses no @azure/functions programming model.');
    const { preInvocation, postInvocation } = this.#registrations.hooks;
    const core = this.#core(metadata, request, invocationId, traceContext);
    const model: InvocationModel = library.getInvocationModel(core);
    const { context, inputs } = await model.getArguments();
    const hookContext: Record<string, unknown> = {
      hookData: {},
      inputs,
      functionCallback: callback,
      invocationContext: context,
    };
    core.state = 'preInvocationHooks';
    for (const hook of preInvocation) await hook(hookContext);
    core.state = 'invocation';
    const post: Record<string, unknown> = { ...hookContext, result: undefined, error: undefined };
    try {
      const handler = hookContext['functionCallback'] as typeof callback;
      post['result'] = await model.invokeFunction(context, hookContext['inputs'] as unknown[], handler);
    } catch (thrown) {
      post['error'] = thrown ?? new Error('The function threw nothing.');
    }
    core.state = 'postInvocationHooks';
    for (const hook of postInvocation) await hook(post);
    core.state = undefined;
    core.request.inputData = [];
    if (isOrchestrator(metadata)) letGoOfEpisode(context, inputs);
    if (post['error'] !== undefined && post['error'] !== null) throw post['error'];
    const result = post['result'];
    const response: Outcome['response'] = async (change) =>
      (await model.getResponse(context, change ? change(result) : result)).returnValue;
    return { result, response };
  }

  /** A request is over with its answer: making it may fail, and a streamed body is part of it. */
  #untilAnswered({ result, response }: Outcome, observed: Observed, invocationId: string): Outcome {
    return {
      result,
      response: async (change) => {
        try {
          const answer = await response(change);
          observed.end(undefined, statusOf(answer?.http?.['statusCode'] ?? result ?? 204));
          return answer;
        } catch (error) {
          this.#log.thrownIn(error, invocationId);
          observed.end(error, 500);
          throw error;
        }
      },
    };
  }

  // The library keeps this object in weak maps, whose values outlive many collections of young objects: so it holds on to
  // nothing big, neither itself nor through the scope of its closure.
  #core(
    metadata: FunctionMetadata,
    request: InvocationRequest,
    invocationId: string,
    traceContext: TraceContext | undefined,
  ): CoreContext {
    return {
      invocationId,
      metadata,
      request: {
        inputData: this.#inputs(metadata.bindings, request.data),
        triggerMetadata: request.triggerMetadata ?? {},
        ...(traceContext && { traceContext }),
        ...(request.retryContext && { retryContext: request.retryContext }),
      },
      log: (level, category, message) => {
        if (category === 'user') this.#log.user(level, metadata.name, message, { invocationId });
        else this.#log.line(level, metadata.name, message, { invocationId });
      },
      state: undefined,
    };
  }

  #inputs(
    bindings: RegisteredFunction['metadata']['bindings'],
    trigger: TypedData,
  ): { name: string; data: TypedData }[] {
    const inputs: { name: string; data: TypedData }[] = [];
    for (const [name, binding] of Object.entries(bindings)) {
      if (binding.direction !== 'in') continue;
      const data = /trigger$/i.test(binding.type) ? trigger : this.#extraInput(binding.type);
      if (data) inputs.push({ name, data });
    }
    return inputs;
  }
}

const isOrchestrator = ({ bindings }: FunctionMetadata): boolean =>
  Object.values(bindings).some(({ type }) => type === 'orchestrationTrigger');

// A streamed answer leaves through the library, without its status.
function statusOf(answer: unknown): number {
  const status = typeof answer === 'object' && answer !== null && 'status' in answer ? answer.status : answer;
  return Number(status ?? 200) || 200;
}
