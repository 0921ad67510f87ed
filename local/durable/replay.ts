// One episode of an orchestrator: all history in, all actions out. Under always-replay every episode runs twice and is
// held against itself and against the episode before it, so that an orchestrator that does not repeat itself is caught
// at once and not when its instance happens to be read from disk.
import type { Engine, Invocation } from './engine.ts';
import type { HistoryEvent } from './history.ts';
import type { Instance } from './instances.ts';
import {
  ActionType,
  type Answer,
  episodeInput,
  failedAnswer,
  readAction,
  readAnswer,
  readFailure,
  wireEvents,
} from './wire.ts';

/** Asks the orchestrator what it wants after `fresh`; an orchestrator that throws is an answer, too. */
export async function replay(engine: Engine, instance: Instance, fresh: HistoryEvent[]): Promise<Answer> {
  const invocation = invocationOf(instance, wireEvents(fresh));
  const answer = await ask(engine, invocation);
  if (!engine.options.alwaysReplay) return answer;
  const again = await ask(engine, invocation);
  const difference =
    findDifference(instance.acted ?? [], answer.actions, 'in the episode before') ??
    findDifference([...answer.actions, end(answer)], [...again.actions, end(again)], 'in the first of two replays');
  if (difference === undefined) return answer;
  return failedAnswer(`Non-deterministic orchestration: ${difference}`, 'NonDeterministicOrchestration');
}

/** A host that goes on from the last episode needs no history: it is only put together for who reads it. */
function invocationOf(instance: Instance, fresh: string): Invocation {
  const { id, name, input, parent, rows, execution, history } = instance;
  let json: string | undefined;
  return {
    ...{ kind: 'orchestration' as const, name, instanceId: id },
    episode: { memory: instance, execution, rows, fresh },
    get json() {
      json ??= episodeInput({
        instanceId: id,
        parentInstanceId: parent?.id,
        input,
        isReplaying: rows > 0,
        events: [...history, fresh],
      });
      return json;
    },
  };
}

async function ask(engine: Engine, invocation: Invocation): Promise<Answer> {
  const { name } = invocation;
  try {
    if (!engine.options.has('orchestration', name))
      throw new Error(`The orchestrator function "${name}" does not exist.`);
    return readAnswer(await engine.options.invoke(invocation));
  } catch (thrown) {
    return readFailure(thrown, name);
  }
}

/** The first step of `earlier` that `later` takes differently. */
function findDifference(earlier: readonly unknown[], later: readonly unknown[], when: string): string | undefined {
  for (const [index, step] of earlier.entries()) {
    // Nearly all repeat themselves to the letter, and are described for nobody.
    if (textOf(step) === textOf(later[index])) continue;
    const [before, now] = [describe(step), describe(later[index])];
    if (before !== now) return `step ${index + 1} was ${before} ${when} and is now ${now}.`;
  }
  return undefined;
}

const texts = new WeakMap<object, string>();

/** A step as text. What an episode did is held against more than one other. */
function textOf(step: unknown): string | undefined {
  if (typeof step !== 'object' || step === null) return step as string | undefined;
  const text = texts.get(step) ?? JSON.stringify(step);
  texts.set(step, text);
  return text;
}

const kinds = new Map<number, string>(Object.entries(ActionType).map(([name, number]) => [number, name]));

/** One action for people, with all that must repeat itself. Whether a timer was cancelled may change. */
function describe(action: unknown): string {
  if (action === undefined) return 'nothing';
  if (typeof action === 'string') return action;
  const { actionType, functionName, externalEventName, fireAt, input, instanceId } = readAction(action);
  const data = input === undefined ? '' : ` with ${JSON.stringify(input).slice(0, 200)}`;
  const name = functionName ?? externalEventName ?? fireAt?.toISOString() ?? '';
  return `${kinds.get(actionType) ?? actionType} "${name}"${instanceId ? ` as "${instanceId}"` : ''}${data}`;
}

/** What follows the last step. */
const end = ({ isDone, output, customStatus, error }: Answer): string =>
  `${error ? `the failure "${error.message}"` : isDone ? `the end with ${JSON.stringify(output)}` : 'a wait'} with the custom status ${JSON.stringify(customStatus)}`;
