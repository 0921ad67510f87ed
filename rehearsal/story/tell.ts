// A story in words.
import { momentInWords } from './moment.ts';
import { orderInWords } from './orders.ts';
import type { Story } from './story.ts';

/** One line per thing that is to happen. */
export function tell(story: Story): string[] {
  const {
    failures,
    orders,
    restarts,
    engine,
    events,
    feed,
    cutOff,
    people,
    changes,
    breakage,
    slowness,
    hands,
    leaks,
  } = story;
  const share = (value: number): string => `${Math.round(value * 100)} %`;
  const shares = (what: Record<string, number>): string[] =>
    Object.entries(what)
      .filter(([, value]) => value > 0)
      .map(([name, value]) => `${name}: ${share(value)}`);
  return [
    ...failures.map(({ at, kind, tries }) => `${momentInWords(at)} fails (${kind}, ${tries} times)`),
    ...orders.map(orderInWords),
    ...restarts.map(({ at, seconds }) => `an appliance is away for ${seconds} s after ${momentInWords(at)}`),
    ...shares({ 'the engine crashes at commits': engine.crash, 'messages come twice': engine.duplicate }),
    ...shares({ 'messages change places': engine.reorder, 'events come twice': events.twice }),
    ...shares({
      [`events come up to ${events.lateSeconds} s late`]: events.late,
      'gates are rejected': people.rejects,
    }),
    ...shares({
      'people take a day': people.sleeps,
      'a target is validated again before its commit': people.looksTwice,
    }),
    ...shares({ 'votes are handed to another': people.delegates }),
    ...shares({
      'questions are answered with a rollback': people.rollsBack,
      'questions are answered with changed input, left out, or done by hand': people.inventive,
    }),
    ...shares({
      'the change feed repeats itself': feed.twice,
      [`the change feed is up to ${feed.lateSeconds} s late`]: feed.late,
      'orders are told as late': feed.lateOrders,
      'requests end in their middle': cutOff,
    }),
    ...shares({
      'checks of UAT fail': breakage.checks,
      'checks of validation fail': breakage.validation,
      'nobody answers checks': breakage.silence,
    }),
    ...shares({ 'probes find a way to clones': leaks }),
    ...shares({
      'is done by hand before anybody decides': hands.eager,
      'is confirmed and was not done': hands.forgets,
    }),
    ...shares({ 'syncs fail': breakage.syncs, 'services refuse': breakage.services }),
    ...(breakage.refusesShutdown ? ['sources refuse to shut down'] : []),
    ...(slowness.times > 1
      ? [`everything takes ${slowness.times} times as long${slowness.from ? ` from ${slowness.from} on` : ''}`]
      : []),
    ...changes.first.map((change) => `before the start: a ${change}`),
    ...(people.startsAgain ? changes.again.map((change) => `before the second start: a ${change}`) : []),
    ...(people.startsAgain ? ['a wave that did not commit is started again'] : []),
  ];
}
