// What a seed lets happen, as data: drawn whole before the story begins, so that it can be told beside what came of it.
import { Chance } from '../../local/durable/chance.ts';

export type Order = 'rollback' | 'withdraw' | 'cancel' | 'pause' | 'defer' | 'rush' | 'revalidate';

export interface Story {
  seed: number;
  /** Failures of activities: at the n-th call, of its operation's first tries. */
  failures: { call: number; kind: FailureKind; tries: number }[];
  /** Orders that people give, at the n-th activity. */
  orders: { call: number; order: Order; wave: number; laterMinutes: number }[];
  /** An appliance's process ends, at the n-th activity, and comes back. */
  restarts: { call: number; appliance: number; seconds: number }[];
  engine: { crash: number; duplicate: number; reorder: number };
  /** Events from appliances: how many come twice, and how many late, by how much. */
  events: { twice: number; late: number; lateSeconds: number };
  /** Of gates: how many are rejected, and how many nobody decides for a day. */
  people: { rejects: number; sleeps: number; rollsBack: number; startsAgain: boolean };
  /** Of what people do by hand: how much they do before anybody decides, and how much they confirm without doing it. */
  hands: { eager: number; forgets: number };
  /** What does not work: shares of checks, syncs and service changes, and whether a source does not shut down. */
  breakage: { checks: number; syncs: number; services: number; refusesShutdown: boolean };
  /** All latencies, multiplied: what runs past its window. */
  slowness: number;
  /** Whether the timers run: deltas, watchdog, heartbeats. */
  keepsTime: boolean;
  /** Of probes: how many find a way to a clone although every rule forbids it. */
  leaks: number;
}

/** `halfway`: the second thing that the activity does fails, `lost`: only its answer does. */
export type FailureKind = 'transient' | 'throttled' | 'lost' | 'halfway' | 'terminal';
const failureKinds: readonly FailureKind[] = ['transient', 'throttled', 'lost', 'halfway', 'terminal'];

/** Draws what happens in a story of about so many activities. One in ten is undisturbed. */
export function drawStory(seed: number, activities: number, orders: readonly Order[]): Story {
  const chance = new Chance(seed);
  const quiet = chance.happens(0.1);
  const some = (most: number): number => (quiet ? 0 : chance.below(most + 1));
  const sometimes = (probability: number, value: number): number =>
    !quiet && chance.happens(probability) ? value * chance.next() : 0;
  const call = (): number => 1 + chance.below(activities);
  const times = <T>(count: number, one: () => T): T[] => Array.from({ length: count }, one);
  const pick = <T>(from: readonly T[]): T => from[chance.below(from.length)] as T;
  return {
    seed,
    failures: times(some(4), () => ({ call: call(), kind: pick(failureKinds), tries: 1 + chance.below(3) })),
    orders: times(chance.happens(0.45) ? some(2) : 0, () => ({
      ...{ call: call(), order: pick(orders), wave: chance.below(2) },
      laterMinutes: chance.happens(0.5) ? 0 : chance.below(90),
    })),
    restarts: times(chance.happens(0.4) ? some(3) : 0, () => ({
      ...{ call: call(), appliance: chance.below(8), seconds: 1 + chance.below(600) },
    })),
    engine: { crash: sometimes(0.4, 0.06), duplicate: sometimes(0.4, 0.2), reorder: sometimes(0.4, 0.3) },
    events: { twice: sometimes(0.5, 0.5), late: sometimes(0.4, 0.3), lateSeconds: 1 + chance.below(400) },
    people: {
      rejects: sometimes(0.4, 0.4),
      sleeps: sometimes(0.2, 0.3),
      rollsBack: sometimes(0.6, 0.7),
      startsAgain: chance.happens(0.3),
    },
    breakage: {
      checks: sometimes(0.2, 0.5),
      syncs: sometimes(0.2, 0.3),
      services: sometimes(0.2, 0.3),
      refusesShutdown: !quiet && chance.happens(0.05),
    },
    slowness: !quiet && chance.happens(0.1) ? 5 + chance.below(60) : 1,
    keepsTime: chance.happens(0.25),
    hands: { eager: sometimes(0.3, 1), forgets: sometimes(0.2, 0.5) },
    leaks: sometimes(0.1, 0.4),
  };
}

/** The story in words, one line per thing that is to happen. */
export function tell(story: Story): string[] {
  const { failures, orders, restarts, engine, events, people, hands, breakage, slowness, leaks } = story;
  const share = (value: number): string => `${Math.round(value * 100)} %`;
  const shares = (what: Record<string, number>): string[] =>
    Object.entries(what)
      .filter(([, value]) => value > 0)
      .map(([name, value]) => `${name}: ${share(value)}`);
  return [
    ...failures.map(({ call, kind, tries }) => `activity ${call} fails (${kind}, ${tries} times)`),
    ...orders.map(({ call, order, laterMinutes }) => `${order} ${laterMinutes} minutes after activity ${call}`),
    ...restarts.map(({ call, seconds }) => `an appliance is away for ${seconds} s after activity ${call}`),
    ...shares({ 'the engine crashes at commits': engine.crash, 'messages come twice': engine.duplicate }),
    ...shares({ 'messages change places': engine.reorder, 'events come twice': events.twice }),
    ...shares({
      [`events come up to ${events.lateSeconds} s late`]: events.late,
      'gates are rejected': people.rejects,
    }),
    ...shares({ 'gates wait a day': people.sleeps, 'questions are answered with a rollback': people.rollsBack }),
    ...shares({ 'probes find a way to clones': leaks }),
    ...shares({ 'checks fail': breakage.checks, 'syncs fail': breakage.syncs, 'services refuse': breakage.services }),
    ...shares({
      'is done by hand before anybody decides': hands.eager,
      'is confirmed and was not done': hands.forgets,
    }),
    ...(breakage.refusesShutdown ? ['sources refuse to shut down'] : []),
    ...(slowness > 1 ? [`everything takes ${slowness} times as long`] : []),
    ...(people.startsAgain ? ['a wave that did not commit is started again'] : []),
  ];
}

/** The same seed without anything that goes wrong: people approve what they are asked. */
export function undisturbed(story: Story): Story {
  return {
    ...story,
    ...{ failures: [], orders: [], restarts: [], slowness: 1, leaks: 0 },
    engine: { crash: 0, duplicate: 0, reorder: 0 },
    events: { twice: 0, late: 0, lateSeconds: 1 },
    people: { rejects: 0, sleeps: 0, rollsBack: 0, startsAgain: false },
    hands: { eager: 0, forgets: 0 },
    breakage: { checks: 0, syncs: 0, services: 0, refusesShutdown: false },
  };
}
