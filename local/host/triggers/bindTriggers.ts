// From registrations to listeners. A function whose binding cannot be understood does not run; the others do.
import { ZodError } from 'zod';
import type { Clock } from '../../durable/clock.ts';
import type { Binding, FunctionMetadata, RegisteredFunction, Registrations } from '../coreModule.ts';
import type { HostJson } from '../hostJson.ts';
import type { HttpFunctions } from '../http/functions.ts';
import type { Invoker } from '../invoke.ts';
import type { HostLog } from '../log.ts';
import { placed } from '../place.ts';
import { retriedTriggers } from '../retry.ts';
import { findSetting, resolveSetting, type Settings } from '../settings.ts';
import type { HostState } from '../state.ts';
import type { EventGridFunctions } from './eventGrid.ts';
import type { Trigger } from './trigger.ts';

export interface TriggerContext {
  invoker: Invoker;
  log: HostLog;
  hostJson: HostJson;
  settings: Settings;
  state: HostState;
  clock?: Clock | undefined;
}

type MakeTrigger = (registered: RegisteredFunction, binding: Binding, context: TriggerContext) => Trigger;

// Imported when an app needs them: the SDK clients take a second to load.
const makers = new Map<string, () => Promise<MakeTrigger>>([
  ['timertrigger', async () => (await import('./timer.ts')).timerTrigger],
  ['servicebustrigger', async () => (await import('./serviceBus.ts')).serviceBusTrigger],
  ['cosmosdbtrigger', async () => (await import('./cosmos.ts')).cosmosTrigger],
]);

// The Durable engine calls these by name.
const called = new Set(['orchestrationtrigger', 'activitytrigger', 'entitytrigger']);

export interface BoundTrigger {
  function: string;
  place: string | undefined;
  trigger: Trigger;
}

interface BindContext extends TriggerContext {
  registrations: Registrations;
  http: HttpFunctions;
  eventGrid: EventGridFunctions;
}

export interface Bound {
  triggers: BoundTrigger[];
  errors: { function: string; reason: string }[];
}

/** Makes the listeners and adds the HTTP functions to `http`; starts nothing. A function that cannot run is an error. */
export async function bindTriggers(context: BindContext): Promise<Bound> {
  const bound: Bound = { triggers: [], errors: [] };
  for (const registered of context.registrations.functions.values()) {
    const { name } = registered.metadata;
    try {
      const trigger = await bind(registered, context);
      if (trigger) bound.triggers.push({ function: name, place: registered.place, trigger });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      bound.errors.push({ function: name, reason: placed(reason, registered.place) });
    }
  }
  return bound;
}

/** The function's listener, if it needs one of its own. */
async function bind(registered: RegisteredFunction, context: BindContext): Promise<Trigger | undefined> {
  const { name, bindings } = registered.metadata;
  if (/^(?:true|1)$/i.test(findSetting(context.settings, `AzureWebJobs.${name}.Disabled`) ?? '')) return undefined;
  // As in Utility.cs of https://github.com/Azure/azure-functions-host.
  if (!/^[a-z][\w-]{0,127}$/i.test(name) || name.toLowerCase() === 'host')
    throw new Error(
      `Function "${name}": a name has letters, digits, - and _, a letter first, 128 at most, and is not "host".`,
    );
  const binding = Object.values(bindings).find(({ type }) => /trigger$/i.test(type));
  if (!binding) throw new Error(`Function "${name}" has no trigger.`);
  refuseUnsupported(registered.metadata);
  const type = binding.type.toLowerCase();
  if (registered.metadata.retryOptions && !retriedTriggers.has(type))
    context.log.line('warning', name, `its retry policy is ignored, as in Azure: a ${binding.type} has none`);
  try {
    const resolved = resolveOptions(name, binding, context.settings);
    if (type === 'httptrigger') context.http.add(registered, resolved);
    else if (type === 'eventgridtrigger') context.eventGrid.add(registered);
    else if (!called.has(type)) {
      const make = makers.get(type);
      if (!make) throw new Error(`Function "${name}": this host has no ${binding.type}.`);
      return (await make())(registered, resolved, context);
    }
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const problems = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
    throw new Error(`Function "${name}": its ${binding.type} is not valid. ${problems.join('; ')}`, { cause: error });
  }
  return undefined;
}

// Without data an input would be undefined and an output lost, both in silence.
function refuseUnsupported({ name, bindings }: FunctionMetadata): void {
  for (const { type, direction } of Object.values(bindings)) {
    const isKnown = direction === 'out' ? type === 'http' : type === 'durableClient' || /trigger$/i.test(type);
    if (!isKnown) throw new Error(`Function "${name}": this host has no ${type} ${direction}put binding.`);
  }
}

function resolveOptions(name: string, binding: Binding, settings: Settings): Binding {
  const resolved: Binding = { ...binding };
  for (const [option, value] of Object.entries(binding)) {
    if (typeof value === 'string')
      resolved[option] = resolveSetting(value, settings, `Function "${name}", option "${option}"`);
  }
  return resolved;
}
