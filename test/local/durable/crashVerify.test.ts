import { expect, test } from 'vitest';
import * as history from '../../../local/durable/history.ts';
import { EventType, type HistoryEvent } from '../../../local/durable/history.ts';
import { type Ended, type Evidence, verify } from './crashVerify.ts';
import type { Deed, Effect } from './fixtures/chains/journal.ts';
import { type Item, promised } from './fixtures/chains/plan.ts';

type Mutable = { effects: Effect[]; deeds: Deed[]; instances: Ended[]; left: string[] } & Evidence;

/** A chain that ran its activities one after another, its tail, and a loop in its last round: all as it should be. */
function sound(): Mutable {
  const evidence: Mutable = { effects: [], deeds: [{ did: 'run', run: 0 }], instances: [], left: [] };
  const tail = instance(evidence, 'chain0-tail', 'tail', 0);
  instance(evidence, 'chain0', 'chain', 0, tail);
  instance(evidence, 'loop1', 'loop', 6);
  return evidence;
}

function instance(evidence: Mutable, id: string, name: string, carried: number, child?: Ended): Ended {
  const items: Item[] = (promised[name] ?? []).map((key) => ({ key, value: `${id}/${key}` }));
  const output = name === 'tail' ? items[0] : items;
  const events: HistoryEvent[] = [];
  const seen = items.slice(0, carried);
  events.push(history.executionStarted(0, name, JSON.stringify(seen), undefined), history.timerCreated(0, 100, 5));
  if (name !== 'tail') evidence.deeds.push({ did: 'starts', instance: id }, { did: 'started', instance: id });
  for (const [task, item] of items.entries()) {
    const result = JSON.stringify(item);
    if (/^(after|item)/.test(item.key)) {
      const raised = { instance: id, name: item.key.replace(/(?<=item)\d/, ''), ...item };
      evidence.deeds.push({ did: 'raises', ...raised }, { did: 'raised', ...raised });
      if (task >= carried) events.push(history.eventRaised(0, raised.name, result));
    } else if (child && item.key === 'last') {
      const value = JSON.stringify(child.output);
      item.value = (child.output as Item).value;
      events.push(history.subOrchestrationCreated(0, task, child.name, child.id));
      events.push(history.subOrchestrationCompleted(0, task, value));
    } else {
      evidence.effects.push({ instance: id, ...item, run: 0 });
      if (task >= carried) events.push(history.taskScheduled(0, task, 'step'), history.taskCompleted(0, task, result));
    }
  }
  events.push(history.timerFired(5, 100, 5), history.executionCompleted(5, JSON.stringify(output)));
  if (name !== 'tail') evidence.deeds.push({ did: 'ended', instance: id, output });
  const ended: Ended = { id, name, status: 'Completed', output, history: events };
  evidence.instances.push(ended);
  return ended;
}

const chainOf = (evidence: Mutable): Ended => evidence.instances.find(({ id }) => id === 'chain0')!;
const resultOf = (chain: Ended, key: string): HistoryEvent =>
  chain.history.find(({ Result, Input }) => (Result ?? Input)?.includes(`"${key}"`))!;
const drop = <T>(list: T[], isIt: (item: T) => boolean): T[] => list.splice(list.findIndex(isIt), 1);
const fake = (value: string, key: string) => JSON.stringify({ key, value });

test('a story in which all is well has no discrepancy, with an effect and an event that a crash repeated', () => {
  expect(verify(sound())).toEqual([]);
  const evidence = sound();
  const chain = chainOf(evidence);
  evidence.effects.unshift({ instance: 'chain0', key: 'step5', value: 'not recorded', run: 7 });
  evidence.effects.push({ instance: 'chain0', key: 'flaky failed', value: 'forgotten', run: 7 });
  evidence.deeds.push({ did: 'raises', instance: 'chain0', name: 'after3', key: 'after3', value: 'again' });
  chain.history.splice(-1, 0, history.eventRaised(1, 'after3', fake('again', 'after3')));
  expect(verify(evidence)).toEqual([]);
});

const faults: [title: string, plant: (evidence: Mutable, chain: Ended) => void, said: RegExp][] = [
  [
    'a dropped effect line',
    ({ effects }) => drop(effects, ({ key }) => key === 'step5'),
    /^chain0 records step5=.* not what happened last$/,
  ],
  [
    'a changed result',
    (_, chain) => {
      resultOf(chain, 'step5').Result = fake('other', 'step5');
    },
    /^chain0 records step5=other, which is not what happened last$/,
  ],
  [
    'an activity that ran again after its result was recorded',
    ({ effects }) => effects.push({ instance: 'chain0', key: 'step5', value: 'too late', run: 1 }),
    /^chain0 records step5=.* not what happened last$/,
  ],
  [
    'an activity that ran twice in one run',
    ({ effects }) => effects.unshift({ instance: 'chain0', key: 'step5', value: 'twice', run: 0 }),
    /^chain0 did step5 twice in run 0$/,
  ],
  [
    'an effect that nothing had scheduled',
    ({ effects }) => effects.push({ instance: 'chain0', key: 'step99', value: 'new', run: 0 }),
    /^chain0 did step99, which nobody wanted$/,
  ],
  [
    'a missing event',
    (_, chain) => drop(chain.history, (event) => event.Name === 'after7'),
    /^chain0 has lost event after7$/,
  ],
  [
    'a missing event of an earlier round',
    ({ instances }) => {
      const [start] = instances.find(({ id }) => id === 'loop1')!.history;
      const carried = JSON.parse(start?.Input ?? '[]') as Item[];
      start!.Input = JSON.stringify(carried.filter(({ key }) => key !== 'item1'));
    },
    /^loop1 has lost event item1$/,
  ],
  [
    'events in another order',
    ({ instances }) => {
      const [start] = instances.find(({ id }) => id === 'loop1')!.history;
      start!.Input = JSON.stringify((JSON.parse(start?.Input ?? '[]') as Item[]).reverse());
    },
    /^loop1 has event item1 before an earlier one$/,
  ],
  [
    'an event that nobody raised',
    (_, chain) => chain.history.push(history.eventRaised(0, 'after3', fake('invented', 'after3'))),
    /^chain0 records after3=invented, which is not what happened last$/,
  ],
  [
    'an event that reached another orchestration than the one it was for',
    ({ deeds }, chain) => {
      deeds.push({ did: 'raises', instance: 'chain9', name: 'after3', key: 'after3', value: 'astray' });
      chain.history.push(history.eventRaised(0, 'after3', fake('astray', 'after3')));
    },
    /^chain0 records after3=astray, which is not what happened last$/,
  ],
  [
    'an event that is delivered twice',
    (_, chain) => chain.history.push({ ...resultOf(chain, 'after3') }),
    /^chain0 records something twice$/,
  ],
  [
    'a second completion',
    (_, chain) => chain.history.push(chain.history.at(-1)!),
    /^chain0 started 1 times and completed 2 times$/,
  ],
  [
    'a second answer to a task',
    (_, chain) => chain.history.push(history.taskCompleted(0, 0, 'null')),
    /^chain0 has an answer too many to task 0$/,
  ],
  [
    'a task without an answer',
    (_, chain) => drop(chain.history, ({ EventType: type }) => type === EventType.timerFired),
    /^chain0 has no answer to task 100$/,
  ],
  [
    'a timer before its time',
    (_, chain) => {
      chain.history.find(({ TimerId }) => TimerId === 100)!.Timestamp = new Date(4).toISOString();
    },
    /^chain0 had timer 100 before its time$/,
  ],
  [
    'a task that is scheduled twice',
    (_, chain) => chain.history.unshift(history.taskScheduled(0, 0, 'step')),
    /^chain0 scheduled task 0 twice$/,
  ],
  [
    'an output that lacks something',
    (_, chain) => {
      chain.output = (chain.output as Item[]).slice(1);
    },
    /^chain0 answers step1,/,
  ],
  [
    'an output that is not what the history says',
    (_, chain) => {
      chain.output = (chain.output as Item[]).map((item) => ({ ...item, value: 'other' }));
    },
    /^chain0 answers step0=other and records step0=/,
  ],
  [
    'an end that was told and then taken back',
    ({ deeds }) => deeds.push({ did: 'ended', instance: 'chain0', output: [] }),
    /^chain0 told another output than it has$/,
  ],
  [
    'a failure',
    (_, chain) => {
      chain.status = 'Failed';
    },
    /^chain0 is Failed/,
  ],
  [
    'a sub-orchestration with another result than its parent has',
    ({ instances }) => {
      instances[0]!.output = { key: 'last', value: 'other' };
    },
    /^chain0 has another result of chain0-tail than that has itself$/,
  ],
  [
    'an acknowledged start without an instance',
    ({ deeds }) => deeds.push({ did: 'started', instance: 'chain9' }),
    /^chain9 is missing \(started\)$/,
  ],
  [
    'an instance that nobody started',
    ({ deeds }) => drop(deeds, (deed) => deed.did === 'starts' && deed.instance === 'loop1'),
    /^loop1 was started by nobody$/,
  ],
  ['work that is left', ({ left }) => left.push('a timer'), /^a timer is left over$/],
];

test.for(faults)('%s is noticed', ([, plant, said]) => {
  const evidence = sound();
  plant(evidence, chainOf(evidence));
  expect(verify(evidence)).toContainEqual(expect.stringMatching(said));
});
