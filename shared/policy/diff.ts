// What is different between two versions of something that people wrote, told so that people can read it, and exact: who
// applies the changes to the old version has the new one.
import { elementOf, memberOf, orderOf, readPath, type Step } from './changePath.ts';

/** One difference. What was added has no `before`, what was removed no `after`. */
export interface Change {
  path: string;
  before?: unknown;
  after?: unknown;
}

type Members = Record<string, unknown>;
/** Members that name an element of a list, in plans and definitions. */
const keys = ['id', 'workloadId'] as const;

/** The changes that make `after` of `before`, both JSON. */
export function diff(before: unknown, after: unknown): Change[] {
  return changes('', before, after);
}

function changes(path: string, before: unknown, after: unknown): Change[] {
  if (same(before, after)) return [];
  if (isMembers(before) && isMembers(after)) return membersChanged(path, before, after);
  if (Array.isArray(before) && Array.isArray(after)) {
    const old = byId(before);
    const next = byId(after);
    if (old !== undefined && next !== undefined) return elementsChanged(path, old, next);
  }
  return [{ path, before, after }];
}

function membersChanged(path: string, before: Members, after: Members): Change[] {
  const names = new Set([...namesIn(before), ...namesIn(after)]);
  return [...names].flatMap((name) => {
    const at = memberOf(path, name);
    if (!has(before, name)) return [{ path: at, after: after[name] }];
    if (!has(after, name)) return [{ path: at, before: before[name] }];
    return changes(at, before[name], after[name]);
  });
}

type Elements = ReadonlyMap<string, unknown>;

function elementsChanged(path: string, before: Elements, after: Elements): Change[] {
  const kept = [...before.keys()].filter((id) => after.has(id));
  const added = [...after.keys()].filter((id) => !before.has(id));
  const follows = [...kept, ...added];
  const wanted = [...after.keys()];
  return [
    ...[...before].filter(([id]) => !after.has(id)).map(([id, gone]) => ({ path: elementOf(path, id), before: gone })),
    ...kept.flatMap((id) => changes(elementOf(path, id), before.get(id), after.get(id))),
    ...added.map((id) => ({ path: elementOf(path, id), after: after.get(id) })),
    ...(same(follows, wanted) ? [] : [{ path: orderOf(path), before: follows, after: wanted }]),
  ];
}

/** Applies changes to the version that they start from. */
export function applyChanges(before: unknown, list: readonly Change[]): unknown {
  return list.reduce((value, change) => {
    const { steps, order } = readPath(change.path);
    return changed(
      value,
      steps,
      order ? (found) => reordered(found, change.after) : () => ({ now: change.after }),
      change,
    );
  }, before);
}

type Put = (found: unknown) => { now: unknown };

function changed(value: unknown, steps: readonly Step[], put: Put, change: Change): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return put(value).now;
  const gone = rest.length === 0 && !has(change, 'after');
  const inside = (found: unknown): unknown => changed(found, rest, put, change);
  if ('member' in step) {
    const members = isMembers(value) ? value : {};
    if (gone) return Object.fromEntries(Object.entries(members).filter(([name]) => name !== step.member));
    return { ...members, [step.member]: inside(has(members, step.member) ? members[step.member] : undefined) };
  }
  const elements: unknown[] = Array.isArray(value) ? value : [];
  if (gone) return elements.filter((each) => idOf(each) !== step.element);
  if (!elements.some((each) => idOf(each) === step.element)) return [...elements, inside(undefined)];
  return elements.map((each) => (idOf(each) === step.element ? inside(each) : each));
}

function reordered(found: unknown, ids: unknown): { now: unknown } {
  const elements: unknown[] = Array.isArray(found) ? found : [];
  const wanted: unknown[] = Array.isArray(ids) ? ids : [];
  return { now: wanted.map((id) => elements.find((each) => idOf(each) === id)) };
}

/** A list whose elements are told apart by their ids; `undefined` if it is none. An empty list may be. */
function byId(list: readonly unknown[]): Elements | undefined {
  const ids = list.map(idOf);
  const distinct = new Set(ids);
  if (distinct.size !== list.length || distinct.has(undefined)) return undefined;
  return new Map(list.map((each) => [idOf(each) ?? '', each]));
}

function idOf(element: unknown): string | undefined {
  if (!isMembers(element)) return undefined;
  const key = keys.find((each) => has(element, each));
  const id = key === undefined ? undefined : element[key];
  return typeof id === 'string' ? id : undefined;
}

function isMembers(value: unknown): value is Members {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

const has = (value: object, name: string): boolean =>
  Object.hasOwn(value, name) && (value as Members)[name] !== undefined;
const namesIn = (members: Members): string[] => Object.keys(members).filter((name) => has(members, name));

/** Equal as JSON, whatever the order of members. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => same(each, b[index]));
  if (!isMembers(a) || !isMembers(b)) return false;
  const names = namesIn(a);
  return names.length === namesIn(b).length && names.every((name) => has(b, name) && same(a[name], b[name]));
}
