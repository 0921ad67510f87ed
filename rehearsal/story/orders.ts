// The orders of a story: what people tell a running wave, a group or a workload of it, and when.
import type { Chance } from '../../local/durable/chance.ts';
import type { Phase } from '../../shared/lifecycle/phases.ts';
import { drawMoment, early, late, type Moment, momentInWords } from './moment.ts';

const actions = ['rollback', 'withdraw', 'cancel', 'pause', 'defer', 'rush', 'revalidate'] as const;
export type Action = (typeof actions)[number];
const scopes = ['wave', 'group', 'workload'] as const;
export type OrderScope = (typeof scopes)[number];

export interface Order {
  at: Moment;
  laterMinutes: number;
  action: Action;
  /** What it is for; of which wave and which group or workload, chance decides when it is given. */
  scope: OrderScope;
  wave: number;
  /** Whether an order to walk back accepts what has been written since traffic moved. */
  acceptDataLoss: boolean;
  /** Of a pause: how long it lasts, and whether deltas go on. */
  restMinutes: number;
  deltas: 'goOn' | 'stop';
}

/** How often an action is drawn, among the others. */
const weights: Record<Action, number> = {
  ...{ rollback: 5, withdraw: 4, cancel: 1, pause: 10 },
  ...{ defer: 4, rush: 6, revalidate: 1 },
};
const wholes: Partial<Record<Action, OrderScope>> = {
  ...{ cancel: 'wave', defer: 'workload', rush: 'workload', revalidate: 'group' },
};
/** Where an action means something: after it they are refused, which happens often enough. */
const phases: Partial<Record<Action, readonly Phase[]>> = { defer: early, rush: early, revalidate: ['validating'] };
/** Where a workload rests or leaves by itself. */
const alone: readonly Phase[] = [...early, 'stoppingServices', 'finalSync', 'sourceOff'];
/** Around the moment at which traffic moves, most can go wrong. */
const all: readonly Phase[] = [...early, ...late, 'launching', 'trafficMoved', 'validating', 'rollingBack'];
const minutes = [0, 0, 0, 2, 30];
const rests = [20, 120, 120, 600];

/** Draws an order in a story of about so many activities. */
export function drawOrder(chance: Chance, activities: number): Order {
  const pick = <T>(from: readonly T[]): T => from[chance.below(from.length)] as T;
  const action = pick(actions.flatMap((each) => new Array<Action>(weights[each]).fill(each)));
  // Who is alone in its group has nobody to leave: an order for one workload is drawn more often than it can be given.
  const scope = wholes[action] ?? pick([...scopes, 'workload'] as const);
  return {
    at: drawMoment(chance, activities, phases[action] ?? (scope === 'workload' ? alone : all)),
    laterMinutes: action === 'revalidate' ? chance.below(20) : pick(minutes),
    action,
    scope,
    wave: chance.below(2),
    acceptDataLoss: chance.happens(0.5),
    restMinutes: pick(rests),
    deltas: chance.happens(0.5) ? 'goOn' : 'stop',
  };
}

export function orderInWords({ at, laterMinutes, action, scope, acceptDataLoss }: Order): string {
  const loses = (action === 'rollback' || action === 'withdraw') && acceptDataLoss;
  const what = `${action} of a ${scope}${loses ? ', whatever it costs' : ''}`;
  return `${what}, ${laterMinutes} minutes after ${momentInWords(at)}`;
}
