import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../../local/servicebus/core/deadlines.ts';
import type { MessageQueue, Taken } from '../../../../local/servicebus/core/queue.ts';
import { bodyOf, world } from './world.ts';

const take = (queue: MessageQueue): Taken | undefined => queue.take('peekLock', queue.mainLane);
const bodies = (queue: MessageQueue): unknown[] => queue.peek(0, 1000).map((message) => bodyOf(message.raw));

describe('a queue on its own', () => {
  it('gives an abandoned message back at its old place', () => {
    const { broker, message } = world();
    const { queue } = broker.create('queue', 'q', {});
    broker.send(
      'q',
      [1, 2, 3].map((n) => message(n)),
    );
    const first = take(queue)!;
    take(queue);
    queue.settle(first.token!, { kind: 'abandon' });
    expect(bodyOf(take(queue)!.message.raw)).toBe(1);
    expect(bodyOf(take(queue)!.message.raw)).toBe(3);
  });

  it('lets a lock expire exactly at its time, and a renewed one later', () => {
    const { broker, message, pass } = world();
    const { queue } = broker.create('queue', 'q', { LockDuration: 'PT30S' });
    broker.send('q', [message(1), message(2)]);
    const [plain, renewed] = [take(queue)!, take(queue)!];
    pass(29_999);
    queue.renewLock(renewed.token!);
    pass(1);
    expect(() => queue.settle(plain.token!, { kind: 'complete' })).toThrow(/lock supplied is invalid/);
    pass(29_998);
    queue.settle(renewed.token!, { kind: 'complete' });
    expect(bodies(queue)).toEqual([1]);
  });

  it('does not expire a message under lock, but does so when the lock ends', () => {
    const { broker, message, pass } = world();
    const { queue, deadLetter } = broker.create('queue', 'q', { DeadLetteringOnMessageExpiration: 'true' });
    broker.send('q', [message(1, { ttl: 1000 })]);
    const taken = take(queue)!;
    pass(2000);
    expect(bodies(queue)).toEqual([1]);
    queue.settle(taken.token!, { kind: 'abandon' });
    expect(bodies(queue)).toEqual([]);
    expect(bodies(deadLetter!)).toEqual([1]);
  });

  it('offers a session to the one who waited longest, and only while it has messages ready', () => {
    const { broker, message } = world();
    const { queue } = broker.create('queue', 'q', { RequiresSession: 'true' });
    const granted: string[] = [];
    const wait = (who: string) =>
      queue.sessions.acceptNext(
        2_000_000,
        (lock) => granted.push(`${who}:${lock.id}`),
        () => {},
        () => {},
      );
    wait('first');
    const leave = wait('second');
    wait('third');
    leave();
    broker.send('q', [message(1, { group_id: 'a' }), message(2, { group_id: 'a' }), message(3, { group_id: 'b' })]);
    expect(granted).toEqual(['first:a', 'third:b']);
  });

  it('forgets a message id after the window of duplicate detection', () => {
    const { broker, message, pass } = world();
    const properties = { RequiresDuplicateDetection: 'true', DuplicateDetectionHistoryTimeWindow: 'PT1M' };
    const { queue } = broker.create('queue', 'q', properties);
    const send = () => broker.send('q', [message(1, { message_id: 'm' })]);
    send();
    pass(59_999);
    send();
    expect(bodies(queue)).toEqual([1]);
    pass(1);
    send();
    expect(bodies(queue)).toEqual([1, 1]);
  });

  it('never uses a sequence number twice, whatever was deleted before a restart', () => {
    const { broker, message, written } = world();
    const { queue } = broker.create('queue', 'q', {});
    for (let i = 0; i < 1500; i++) {
      broker.send('q', [message(i)]);
      queue.take('receiveAndDelete', queue.mainLane);
    }
    const reserved = written.filter((line) => line.startsWith('saveCounter')).map((line) => Number(line.split(' ')[2]));
    expect(reserved.at(-1)).toBeGreaterThan(1500);
  });

  it('dead-letters in a session subscription what has no session', () => {
    const { broker, message } = world();
    broker.create('topic', 't', {});
    const { queue, deadLetter } = broker.create('subscription', 't/Subscriptions/s', { RequiresSession: 'true' });
    broker.send('t', [message(1), message(2, { group_id: 'a' })]);
    expect([bodies(queue), bodies(deadLetter!)]).toEqual([[2], [1]]);
  });

  it('neither loses nor doubles a message, whatever is done with it', () => {
    const step = fc.oneof(
      fc.constant('send' as const),
      fc.constantFrom('complete', 'abandon', 'defer', 'deadLetter', 'forget').map((kind) => ({ kind }) as const),
      fc.integer({ min: 1, max: 90_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { broker, message, pass } = world();
        const { queue, deadLetter } = broker.create('queue', 'q', { MaxDeliveryCount: '3' });
        let sent = 0;
        let completed = 0;
        for (const each of steps) {
          if (each === 'send') broker.send('q', [message(sent++)]);
          else if (typeof each === 'number') pass(each);
          else {
            const taken = take(queue);
            if (!taken || each.kind === 'forget') continue;
            queue.settle(taken.token!, { kind: each.kind });
            if (each.kind === 'complete') completed++;
          }
        }
        const left = [...bodies(queue), ...bodies(deadLetter!)];
        expect(new Set(left).size).toBe(left.length);
        expect(left.length).toBe(sent - completed);
      }),
    );
  });
});

describe('deadlines', () => {
  it('run in order of time, without those that were removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.boolean())), (entries) => {
        const deadlines = new Deadlines({ now: () => 1000, wake: () => () => {} });
        const ran: number[] = [];
        const added = entries.map(([at]) => deadlines.add(at, () => ran.push(at)));
        entries.forEach(([, removed], i) => {
          if (removed) deadlines.remove(added[i]);
        });
        deadlines.runDue();
        expect(ran).toEqual(
          entries
            .filter(([, removed]) => !removed)
            .map(([at]) => at)
            .sort((a, b) => a - b),
        );
      }),
    );
  });
});
