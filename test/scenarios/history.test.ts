// The look at a history finds what it is there to find.
import { describe, expect, it } from 'vitest';
import type { WorkloadEvent } from '../../shared/lifecycle/events.ts';
import { fold } from '../../shared/lifecycle/fold.ts';
import { changedTwice, flawsOf, foldOf, type History, missingFrom, storyOf } from './history.ts';

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

describe('the look at what kills may have done', () => {
  const sync = (type: 'queued' | 'dispatched' | 'started' | 'completed', sequence?: number) =>
    ({
      ...common,
      id: `s1-${type}`,
      operationId: 's1',
      type: `landfall.sync.${type}`,
      ...(sequence === undefined ? {} : { source: 'agent', sequence }),
      data: {
        ...{ syncId: 's1', kind: 'initial', syncOperationId: 's1', applianceId: 'agent', attempt: 1 },
        ...{ startedAt: common.time, root: 'r', disks: [], consistency: 'none' },
      },
    }) as WorkloadEvent;
  const entered = (phase: 'preparing' | 'replicating'): WorkloadEvent => ({
    ...common,
    id: phase,
    type: 'landfall.workload.phaseEntered',
    data: { phase, reason: 'it is time' },
  });
  const events = [
    registered,
    entered('preparing'),
    sync('queued'),
    sync('dispatched'),
    sync('started', 1),
    sync('completed', 2),
    entered('replicating'),
  ];
  const without = (...ids: string[]) => historyFrom(events.filter(({ id }) => !ids.includes(id)));

  it('finds nothing in a whole one', () => {
    expect(flawsOf(historyFrom(events))).toEqual([]);
    expect(missingFrom(historyFrom(events))).toBe(0);
  });

  it('finds an event that was counted and is not there', () => {
    const whole = historyFrom(events);
    const lost = { ...whole, events: whole.events.filter(({ id }) => id !== 's1-started') };
    expect(flawsOf(lost)).toContain('s1-completed is number 5 and says 6');
    expect(flawsOf({ ...whole, events: whole.events.slice(0, -1) })).toEqual([
      'the state is not the fold of the events',
    ]);
  });

  it('finds an update that another one has overwritten', () => {
    const whole = historyFrom(events);
    const state = without('s1-completed').state;
    expect(flawsOf({ ...whole, state: { ...state, version: whole.state.version } })).toEqual([
      'the state is not the fold of the events',
    ]);
  });

  it('finds an event that was taken twice, also where it changed nothing', () => {
    expect(flawsOf(historyFrom([...events, sync('completed', 2)]))).toContain('s1-completed is there twice');
    expect(flawsOf(historyFrom([...events, entered('replicating')]))).toEqual(['replicating is there twice']);
  });

  it('finds what was dropped before it was counted', () => {
    expect(flawsOf(without('s1-started'))).toEqual(['sync s1 has begun 0 times and ended 1 times']);
    expect(missingFrom(historyFrom([...events, { ...sync('completed', 4), id: 'later' }]))).toBe(1);
    expect(storyOf(historyFrom(events))).toEqual([
      'workload.registered',
      'workload.phaseEntered preparing',
      'workload.phaseEntered replicating',
    ]);
  });
});
