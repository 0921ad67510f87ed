// The look at a history finds what it is there to find.
import { expect, it } from 'vitest';
import type { WorkloadEvent } from '../../shared/lifecycle/events.ts';
import { fold } from '../../shared/lifecycle/fold.ts';
import { changedTwice, foldOf, type History } from './history.ts';

const common = { time: '2026-12-01T00:00:00.000Z', source: 'platform' };
const services = (state: 'stopped' | 'running') => ({ services: [{ name: 'ledger', state, detail: '' }] });
const registered: WorkloadEvent = {
  ...common,
  id: 'registered',
  type: 'landfall.workload.registered',
  data: { groupId: 'g', planHash: 'h' },
};
const stopped = (id: string, operationId: string, state: 'stopped' | 'running'): WorkloadEvent => ({
  ...common,
  id,
  operationId,
  type: 'landfall.services.stopped',
  data: services(state),
});

function historyFrom(events: WorkloadEvent[]): History {
  const state = fold(events);
  if (state === undefined) throw new Error('there are no events');
  return { state, events: events.map((event, index) => ({ ...event, version: index + 1 })) };
}

it('an operation that changed the state twice is found, one that said the same again is not', () => {
  const again = historyFrom([registered, stopped('a', 'op', 'stopped'), stopped('b', 'op', 'stopped')]);
  expect(changedTwice(again)).toEqual([]);
  const twice = historyFrom([registered, stopped('a', 'op', 'stopped'), stopped('b', 'op', 'running')]);
  expect(changedTwice(twice)).toEqual([['a', 'b']]);
  const others = historyFrom([registered, stopped('a', 'op', 'stopped'), stopped('b', 'other', 'running')]);
  expect(changedTwice(others)).toEqual([]);
});

it('the fold of a history that lacks an event is not its state', () => {
  const whole = historyFrom([registered, stopped('a', 'op', 'stopped'), stopped('b', 'other', 'running')]);
  expect(foldOf(whole)).toEqual(whole.state);
  expect(foldOf({ ...whole, events: whole.events.filter(({ id }) => id !== 'a') })).not.toEqual(whole.state);
});
