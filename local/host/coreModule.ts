// The seam between `@azure/functions` and whatever hosts it: the module `@azure/functions-core`, which the library
// requires lazily and which only exists inside a host. The shapes are those of types-core/index.d.ts in
// https://github.com/Azure/azure-functions-nodejs-worker. One per process, as the library keeps the module it was given.
import { registerHooks } from 'node:module';

export interface Binding {
  type: string;
  direction: 'in' | 'out';
  name?: string;
  [option: string]: unknown;
}

export interface FunctionMetadata {
  name: string;
  bindings: Record<string, Binding>;
  retryOptions?: unknown;
}

export type Callback = (...inputs: unknown[]) => unknown;

export interface RegisteredFunction {
  metadata: FunctionMetadata;
  callback: Callback;
  /** Of the registration. */
  stack?: string | undefined;
  /** File and line in the app of the registration. */
  place?: string | undefined;
}

/** RpcTypedData of the worker's protocol; one member is set. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: Record<string, unknown>;
  collectionString?: { string: string[] };
  collectionBytes?: { bytes: Uint8Array[] };
}

export interface CoreContext {
  invocationId: string;
  metadata: FunctionMetadata;
  request: {
    inputData: { name: string; data: TypedData }[];
    triggerMetadata: Record<string, TypedData>;
    traceContext?: unknown;
    retryContext?: unknown;
  };
  log: (level: string, category: string, message: string) => void;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<{ returnValue?: TypedData | null }>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreContext): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type HookCallback = (context: Record<string, unknown>) => unknown;

/** A part of the app that does not run, and why. */
export type LoadError = { file: string; reason: string } | { function: string; reason: string };

/** What one app registered while it was loaded. */
export class Registrations {
  readonly functions = new Map<string, RegisteredFunction>();
  /** Entry files that failed; nothing that they registered is here. */
  readonly errors: LoadError[] = [];
  /** The library's side of invocations. */
  model: ProgrammingModel | undefined;
  readonly hooks: Record<HookName, HookCallback[]> = {
    appStart: [],
    appTerminate: [],
    preInvocation: [],
    postInvocation: [],
    log: [],
  };
}

type LogSink = (level: string, category: string, message: string) => void;

const core: { model: ProgrammingModel | undefined; collecting: Registrations | undefined; log: LogSink } = {
  model: undefined,
  collecting: undefined,
  log: () => {},
};

class Disposable {
  readonly #dispose: () => void;
  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }
  dispose(): void {
    this.#dispose();
  }
}

const api = {
  version: '4.0.0',
  hostVersion: '4.1042.0',
  Disposable,
  setProgrammingModel(model: ProgrammingModel): void {
    core.model = model;
  },
  getProgrammingModel: () => core.model,
  registerFunction(metadata: FunctionMetadata, callback: Callback): Disposable {
    const target = core.collecting;
    if (!target)
      throw new RangeError(`Function "${metadata.name}": a function can only be registered while the app starts.`);
    if (target.functions.has(metadata.name)) throw new RangeError(`Function "${metadata.name}" is registered twice.`);
    target.functions.set(metadata.name, { metadata, callback, stack: new Error().stack });
    return new Disposable(() => target.functions.delete(metadata.name));
  },
  registerHook(name: HookName, callback: HookCallback): Disposable {
    const hooks = core.collecting?.hooks[name];
    if (!hooks) throw new RangeError(`Hook "${name}": unknown, or registered after the app has started.`);
    hooks.push(callback);
    return new Disposable(() => hooks.splice(hooks.indexOf(callback), 1));
  },
  log: (level: string, category: string, message: string) => core.log(level, category, message),
};

const globalName = 'landfall.functionsCore';
const moduleUrl = 'landfall:functions-core';
let isInstalled = false;
let read = '';

/** The URL of the module that was read last. */
export const lastRead = (): string => read;

/** Makes `@azure/functions-core` resolvable, for `require` and `import` alike. */
export function installCoreModule(): void {
  if (isInstalled) return;
  isInstalled = true;
  Object.defineProperty(globalThis, Symbol.for(globalName), { value: api });
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== '@azure/functions-core') return next(specifier, context);
      return { url: moduleUrl, format: 'commonjs', shortCircuit: true };
    },
    load(url, context, next) {
      read = url;
      if (url !== moduleUrl) return next(url, context);
      const source = `module.exports = globalThis[Symbol.for('${globalName}')];`;
      return { format: 'commonjs', source, shortCircuit: true };
    },
  });
}

/** Collects what is registered while `load` runs. One load at a time. */
export async function collect(load: () => Promise<void>): Promise<Registrations> {
  if (core.collecting) throw new Error('Another app is being loaded into this process.');
  const registrations = new Registrations();
  core.collecting = registrations;
  try {
    await load();
  } finally {
    core.collecting = undefined;
  }
  registrations.model = core.model;
  return registrations;
}

/** Where the library's own log lines go. */
export function setCoreLog(log: LogSink): void {
  core.log = log;
}
