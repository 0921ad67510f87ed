// Says what is wrong with what a crashed, restarted and finished engine has left behind. Pure.
//
// An effect may have happened again after a crash, but the history must hold the last one: a result that was recorded
// is never asked for again.
import { completedTask, EventType, type HistoryEvent, scheduledTask } from '../../../local/durable/history.ts';
import type { Deed, Effect } from './fixtures/chains/journal.ts';
import { type Item, promised } from './fixtures/chains/plan.ts';

export interface Ended {
  id: string;
  name: string;
  status: string;
  output: unknown;
  history: HistoryEvent[];
}

export interface Evidence {
  effects: readonly Effect[];
  deeds: readonly Deed[];
  instances: readonly Ended[];
  /** Whatever should not be there any more at the end. */
  left: readonly string[];
}

/** Every discrepancy, in words; empty when all is well. */
export function verify(evidence: Evidence): string[] {
  const { effects, deeds, instances, left } = evidence;
  const known = new Map(instances.map((instance) => [instance.id, instance]));
  const last = new Map(effects.map(({ instance, key, value }) => [`${instance} ${key}`, value]));
  const raised = new Set(
    deeds.flatMap((deed) => (deed.did === 'raises' ? [`${deed.instance} ${deed.key} ${deed.value}`] : [])),
  );
  const isReal = ({ owner, key, value }: Recorded) =>
    raised.has(`${owner} ${key} ${value}`) || last.get(`${owner} ${key}`) === value;
  return [
    ...left.map((what) => `${what} is left over`),
    ...instances.flatMap((instance) => [
      ...endsOnce(instance),
      ...answersAll(instance),
      ...recordsWhatHappened(instance, isReal),
      ...agreesWithChildren(instance, known),
    ]),
    ...everyEffectWasWanted(effects, known),
    ...nothingWasLost(deeds, known),
    ...nothingWasInvented(deeds, instances),
  ];
}

/** Completed, once, with all that it promised and in that order. */
function endsOnce({ id, name, status, output, history }: Ended): string[] {
  const wrong: string[] = [];
  if (status !== 'Completed') wrong.push(`${id} is ${status}: ${JSON.stringify(output)}`);
  const count = (type: number) => history.filter(({ EventType: its }) => its === type).length;
  const [starts, ends] = [count(EventType.executionStarted), count(EventType.executionCompleted)];
  if (starts !== 1 || ends !== 1) wrong.push(`${id} started ${starts} times and completed ${ends} times`);
  const keys = itemsIn(output).map(({ key }) => key);
  if (keys.join() !== promised[name]?.join()) wrong.push(`${id} answers ${keys.join()}`);
  const { Result: result } = history.find((event) => event.EventType === EventType.executionCompleted) ?? {};
  if (result !== JSON.stringify(output)) wrong.push(`${id} has another output than its history`);
  return wrong;
}

/** Everything it scheduled came back once, and nothing else did; no timer fired early. */
function answersAll({ id, history }: Ended): string[] {
  const wrong: string[] = [];
  const open = new Map<number, HistoryEvent>();
  const used = new Set<number>();
  for (const event of history) {
    const done = completedTask(event);
    const task = scheduledTask(event);
    if (task !== undefined) {
      if (used.has(task)) wrong.push(`${id} scheduled task ${task} twice`);
      used.add(task);
      open.set(task, event);
    } else if (done !== undefined) {
      if (!open.delete(done)) wrong.push(`${id} has an answer too many to task ${done}`);
      if (event.EventType === EventType.timerFired && event.Timestamp < (event.FireAt ?? ''))
        wrong.push(`${id} had timer ${done} before its time`);
    }
  }
  return [...wrong, ...[...open.keys()].map((task) => `${id} has no answer to task ${task}`)];
}

/** Each recorded result is the one that the last run left; each event was raised; the output holds the same. */
function recordsWhatHappened(ended: Ended, isReal: (item: Recorded) => boolean): string[] {
  const { id, output } = ended;
  const all = record(ended);
  const wrong = all
    .filter((item) => !isReal(item))
    .map((item) => `${id} records ${said(item)}, which is not what happened last`);
  if (new Set(all.map(({ value }) => value)).size !== all.length) wrong.push(`${id} records something twice`);
  for (const item of itemsIn(output)) {
    const first = all.find(({ key }) => key === item.key);
    if (first?.value !== item.value) wrong.push(`${id} answers ${said(item)} and records ${first && said(first)}`);
  }
  return wrong;
}

/** A sub-orchestration has the result that its parent was told. */
function agreesWithChildren({ id, history }: Ended, known: ReadonlyMap<string, Ended>): string[] {
  const children = childrenOf(history);
  return history.flatMap((event) => {
    if (event.EventType !== EventType.subOrchestrationCompleted) return [];
    const child = children.get(event.TaskScheduledId) ?? '';
    const isSame = JSON.stringify(known.get(child)?.output) === event.Result;
    return isSame ? [] : [`${id} has another result of ${child} than that has itself`];
  });
}

/** Effects belong to what was scheduled, and none happened twice in one life of the process. */
function everyEffectWasWanted(effects: readonly Effect[], known: ReadonlyMap<string, Ended>): string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  const wanted = new Map([...known].map(([id, ended]) => [id, new Set(record(ended).map(({ key }) => key))]));
  for (const { instance, key, run } of effects) {
    // A failure that was forgotten in a crash belongs to the attempt that succeeded afterwards.
    const keys = wanted.get(instance);
    if (!keys?.has(key) && !keys?.has(key.replace(/ failed$/, '')))
      wrong.push(`${instance} did ${key}, which nobody wanted`);
    const once = `${instance} ${key} ${run}`;
    if (seen.has(once)) wrong.push(`${instance} did ${key} twice in run ${run}`);
    seen.add(once);
  }
  return wrong;
}

/** What was acknowledged is there: starts, events in the order in which they were raised, ends as they were told. */
function nothingWasLost(deeds: readonly Deed[], known: ReadonlyMap<string, Ended>): string[] {
  const wrong: string[] = [];
  const reached = new Map<string, number>();
  for (const deed of deeds) {
    if (deed.did === 'run') continue;
    const found = known.get(deed.instance);
    if (!found) {
      if (deed.did !== 'starts') wrong.push(`${deed.instance} is missing (${deed.did})`);
    } else if (deed.did === 'ended' && JSON.stringify(deed.output) !== JSON.stringify(found.output)) {
      wrong.push(`${deed.instance} told another output than it has`);
    } else if (deed.did === 'raised') {
      const at = record(found).findIndex(({ key }) => key === deed.key);
      const line = `${deed.instance} ${deed.name}`;
      if (at < 0) wrong.push(`${deed.instance} has lost event ${deed.key}`);
      else if (at < (reached.get(line) ?? -1))
        wrong.push(`${deed.instance} has event ${deed.key} before an earlier one`);
      else reached.set(line, at);
    }
  }
  return wrong;
}

function nothingWasInvented(deeds: readonly Deed[], instances: readonly Ended[]): string[] {
  const asked = new Set(deeds.flatMap((deed) => (deed.did === 'starts' ? [deed.instance] : [])));
  for (const { history } of instances) for (const { InstanceId: child } of history) if (child) asked.add(child);
  return instances.filter(({ id }) => !asked.has(id)).map(({ id }) => `${id} was started by nobody`);
}

interface Recorded extends Item {
  /** The instance whose effect or event it is. */
  owner: string;
}

/** All that a history knows, in order; an execution that continues another one begins with what that had. */
function record({ id, history }: Ended): Recorded[] {
  const children = childrenOf(history);
  return history.flatMap(({ EventType: type, TaskScheduledId: task, Input, Result, FailureDetails: failure }) => {
    const json = Input ?? Result ?? failure?.ErrorMessage;
    if (type === EventType.executionCompleted || !/^[[{]/.test(json ?? '')) return [];
    return itemsIn(JSON.parse(json ?? '')).map((item) => ({ ...item, owner: children.get(task) ?? id }));
  });
}

const childrenOf = (history: readonly HistoryEvent[]): ReadonlyMap<number | undefined, string> =>
  new Map(history.flatMap(({ EventId: task, InstanceId: child }) => (child === undefined ? [] : [[task, child]])));

function itemsIn(value: unknown): Item[] {
  if (Array.isArray(value)) return value.flatMap(itemsIn);
  if (typeof value !== 'object' || value === null || !('key' in value) || !('value' in value)) return [];
  return [{ key: String(value.key), value: String(value.value) }];
}

const said = ({ key, value }: Item): string => `${key}=${value}`;
