// What a seed lets happen, as data: drawn whole before the story begins, so that it can be told beside what came of it.
import { Chance } from '../../local/durable/chance.ts';
import type { Phase } from '../../shared/lifecycle/phases.ts';
import type { Answering } from './answers.ts';
import type { Deciding } from './atGates.ts';
import { type Change, drawChanges } from './changes.ts';
import { drawMoment, early, late, type Moment } from './moment.ts';
import { drawOrder, type Order } from './orders.ts';

export interface Story {
  seed: number;
  /** Failures of activities: at a moment, of its operation's first tries. */
  failures: { at: Moment; kind: FailureKind; tries: number }[];
  /** What people order. */
  orders: Order[];
  /** An appliance's process ends and comes back. */
  restarts: { at: Moment; appliance: number; seconds: number }[];
  engine: { crash: number; duplicate: number; reorder: number };
  /** Events from appliances: how many come twice, and how many late, by how much. */
  events: { twice: number; late: number; lateSeconds: number };
  /** The change feed: how many of its batches come twice, and how many late, by how much; those with orders apart. */
  feed: { twice: number; late: number; lateOrders: number; lateSeconds: number };
  /** How many requests of people end in their middle, with the process of the app. */
  cutOff: number;
  /** What people do when they are asked, and whether a wave that did not commit is started again. */
  people: Deciding & Answering & { startsAgain: boolean };
  /** Of what people do by hand: how much they do before anybody decides, and how much they confirm without doing it. */
  hands: { eager: number; forgets: number };
  /** How waves are changed: before the first start, and before the second. */
  changes: { first: Change[]; again: Change[] };
  /** What does not work. */
  breakage: Breakage;
  /** All latencies, multiplied, perhaps from a phase on: what runs past its window. */
  slowness: { times: number; from?: Phase };
  /** Whether the timers run: deltas, watchdog, heartbeats. */
  keepsTime: boolean;
  /** Of probes: how many find a way to a clone although every rule forbids it. */
  leaks: number;
}

/** Shares of checks in UAT and in validation, of checks that nobody answers, of syncs and service changes; and whether a source does not shut down. */
export interface Breakage {
  checks: number;
  validation: number;
  silence: number;
  syncs: number;
  services: number;
  refusesShutdown: boolean;
}

/**
 * `halfway`: the second thing that the activity does fails, `lost`: only its answer does; `twice`: it is run again although
 * it has succeeded, `atOnce`: by two at the same time.
 */
const failureKinds = ['transient', 'throttled', 'lost', 'halfway', 'terminal', 'twice', 'atOnce'] as const;
export type FailureKind = (typeof failureKinds)[number];

const anywhere = [...early, ...late, 'validating', 'rollingBack'] as const;

/** Draws what happens in a story of about so many activities. One in ten is undisturbed. */
export function drawStory(seed: number, activities: number): Story {
  const chance = new Chance(seed);
  const quiet = chance.happens(0.1);
  const some = (most: number): number => (quiet ? 0 : chance.below(most + 1));
  const sometimes = (probability: number, value: number): number =>
    !quiet && chance.happens(probability) ? value * chance.next() : 0;
  const times = <T>(count: number, one: () => T): T[] => Array.from({ length: count }, one);
  const pick = <T>(from: readonly T[]): T => from[chance.below(from.length)] as T;
  const moment = () => drawMoment(chance, activities, anywhere);
  return {
    seed,
    failures: [
      ...times(some(5), () => ({ at: moment(), kind: pick(failureKinds), tries: 1 + chance.below(3) })),
      // The way back is short, and what fails on it is asked about in its own way.
      ...times(chance.happens(0.4) ? some(2) : 0, () => ({
        ...{ at: { after: 'rollingBack' as const, calls: 1 + chance.below(12) }, kind: 'terminal' as const, tries: 1 },
      })),
    ],
    orders: times(chance.happens(0.75) ? some(4) : 0, () => drawOrder(chance, activities)),
    restarts: times(chance.happens(0.4) ? some(3) : 0, () => ({
      ...{ at: moment(), appliance: chance.below(8), seconds: 1 + chance.below(600) },
    })),
    engine: { crash: sometimes(0.4, 0.06), duplicate: sometimes(0.4, 0.2), reorder: sometimes(0.4, 0.3) },
    events: { twice: sometimes(0.5, 0.5), late: sometimes(0.4, 0.3), lateSeconds: 1 + chance.below(pick([400, 7200])) },
    feed: {
      twice: sometimes(0.3, 0.3),
      late: sometimes(0.3, 0.6),
      lateOrders: sometimes(0.3, 1),
      lateSeconds: 1 + chance.below(pick([10, 600, 600])),
    },
    cutOff: sometimes(0.3, 0.5),
    people: {
      rejects: sometimes(0.4, 0.4),
      sleeps: sometimes(0.3, 0.5),
      looksTwice: sometimes(0.3, 1),
      delegates: sometimes(0.6, 1),
      rollsBack: sometimes(0.5, 0.7),
      inventive: sometimes(0.7, 1),
      startsAgain: chance.happens(0.3),
    },
    changes: {
      first: chance.happens(0.3) ? drawChanges(chance) : [],
      again: chance.happens(0.8) ? drawChanges(chance) : [],
    },
    breakage: {
      checks: sometimes(0.2, 0.5),
      validation: sometimes(0.25, 1),
      silence: sometimes(0.2, 0.7),
      syncs: sometimes(0.2, 0.3),
      services: sometimes(0.2, 0.6),
      refusesShutdown: !quiet && chance.happens(0.1),
    },
    slowness: quiet ? { times: 1 } : drawSlowness(chance),
    keepsTime: chance.happens(0.25),
    hands: { eager: sometimes(0.3, 1), forgets: sometimes(0.2, 0.5) },
    leaks: sometimes(0.1, 0.4),
  };
}

/** One in ten is slow all the time, and one in seven when its cutover has begun: what nobody could foresee. */
function drawSlowness(chance: Chance): Story['slowness'] {
  if (chance.happens(0.1)) return { times: 5 + chance.below(60) };
  const from = late[chance.below(late.length)];
  return from !== undefined && chance.happens(0.15) ? { times: 20 + chance.below(300), from } : { times: 1 };
}

/** The same seed without anything that goes wrong: people approve what they are asked. */
export function undisturbed(story: Story): Story {
  return {
    ...story,
    ...{
      failures: [],
      orders: [],
      restarts: [],
      cutOff: 0,
      leaks: 0,
      slowness: { times: 1 },
      changes: { first: [], again: [] },
    },
    engine: { crash: 0, duplicate: 0, reorder: 0 },
    events: { twice: 0, late: 0, lateSeconds: 1 },
    feed: { twice: 0, late: 0, lateOrders: 0, lateSeconds: 1 },
    people: { rejects: 0, sleeps: 0, looksTwice: 0, delegates: 0, rollsBack: 0, inventive: 0, startsAgain: false },
    hands: { eager: 0, forgets: 0 },
    breakage: { checks: 0, validation: 0, silence: 0, syncs: 0, services: 0, refusesShutdown: false },
  };
}
