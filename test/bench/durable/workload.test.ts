// The bench is only as honest as its journal: what it must notice, and what it must not count.
import { describe, expect, it } from 'vitest';
import { expectedOutput, Journal, steps, stepsPerEvent } from '../../../bench/durable/workload.ts';

/** An engine of promises: runs the steps and waits for the events as the bench's apps do. */
function engineOf(journal: Journal, output = expectedOutput, ranBySelf = steps) {
  const arrived = new Map<number, () => void>();
  const sent: number[] = [];
  return {
    sent,
    run: async (id: string) => {
      for (let step = 1; step <= ranBySelf; step++) {
        const event = new Promise<void>((resolve) => arrived.set(step / stepsPerEvent, resolve));
        journal.ran(id, step);
        if (step % stepsPerEvent === 0) await event;
      }
      return output;
    },
    send: async (_: string, event: number) => {
      sent.push(event);
      arrived.get(event)?.();
    },
    stop: async () => {},
  };
}

describe('the journal of the durable bench', () => {
  it('sends each event once, after the activity before it', async () => {
    const journal = new Journal();
    const engine = engineOf(journal);
    await journal.run(engine, ['a'], true);
    expect(engine.sent).toEqual([1, 2, 3]);
  });

  it('counts steps and events apart, and no event after the last activity', async () => {
    const journal = new Journal();
    await journal.run(engineOf(journal), ['a', 'b'], false);
    expect(journal.stepLatencies()).toHaveLength(2 * 9);
    expect(journal.eventLatencies()).toHaveLength(2 * 2);
    expect([...journal.stepLatencies(), ...journal.eventLatencies()].every((latency) => latency >= 0)).toBe(true);
  });

  it('counts an activity that runs again', async () => {
    const journal = new Journal();
    await journal.run(engineOf(journal), ['a'], true);
    expect(journal.dupSteps).toBe(0);
    journal.ran('a', 5);
    expect(journal.dupSteps).toBe(1);
  });

  it('fails on a workflow that returns something else, or that ends too early', async () => {
    const wrong = new Journal();
    await expect(wrong.run(engineOf(wrong, 1), ['a'], true)).rejects.toThrow('returned 1');
    const early = new Journal();
    await expect(early.run(engineOf(early, expectedOutput, 3), ['a'], true)).rejects.toThrow('without running all');
  });

  it('fails when an event cannot be sent', async () => {
    const journal = new Journal();
    const engine = { ...engineOf(journal), send: () => Promise.reject(new Error('gone')) };
    await expect(journal.run(engine, ['a'], true)).rejects.toThrow('gone');
  });
});
