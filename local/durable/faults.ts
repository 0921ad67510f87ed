// What may go wrong on the way, by chance or by rule, without breaking a promise of the platform: a process ends at any
// moment, a message that the engine sends itself comes twice or in another order, an activity takes long or fails.
import type { Chance } from './chance.ts';
import type { Deliveries } from './engine.ts';
import { completedTask, EventType } from './history.ts';
import type { Message } from './rows.ts';

export type Crash = 'before' | 'after';

export interface Activity {
  name: string;
  instanceId: string;
  input: unknown;
}

export interface Faults {
  /** Probability of a crash at a commit, half of them just before it, half just after; or a rule, from 1 for the first. */
  crash?: number | ((commit: number) => Crash | undefined);
  /** Probability that a message is stored twice. */
  duplicate?: number;
  /** Probability that an instance finds its messages in another order. */
  reorder?: number;
  /** Probability that an activity starts late, and by how many milliseconds at most. */
  delay?: { probability: number; most: number };
  /** Answers the error that an activity fails with instead of running, or nothing. */
  fail?: (activity: Activity) => Error | undefined;
}

/** Whether the engine crashes at this commit, and on which side of it. */
export function crashAt(commit: number, { crash }: Faults, chance: Chance): Crash | undefined {
  if (typeof crash === 'function') return crash(commit);
  if (!chance.happens(crash)) return undefined;
  return chance.happens(0.5) ? 'before' : 'after';
}

export const deliveriesWith = (faults: Faults, chance: Chance): Deliveries => ({
  copies: () => (chance.happens(faults.duplicate) ? 2 : 1),
  arrange: (messages) => (messages.length > 1 && chance.happens(faults.reorder) ? shuffle(messages, chance) : messages),
});

/** Another order, in which everything that somebody sent in order still is: events of one name, controls, the start. */
function shuffle(messages: readonly Message[], chance: Chance): Message[] {
  const rest = new Map<string, Message[]>();
  for (const message of messages) {
    const line = lineOf(message);
    rest.set(line, [...(rest.get(line) ?? []), message]);
  }
  const arranged = rest.get('start') ?? [];
  rest.delete('start');
  while (rest.size > 0) {
    const lines = [...rest.keys()];
    const line = lines[chance.below(lines.length)] ?? '';
    const [first, ...others] = rest.get(line) ?? [];
    if (first) arranged.push(first);
    if (others.length > 0) rest.set(line, others);
    else rest.delete(line);
  }
  return arranged;
}

function lineOf({ seq, event }: Message): string {
  if (event.EventType === EventType.executionStarted) return 'start';
  if (event.EventType === EventType.eventRaised) return `event ${event.Name}`;
  return completedTask(event) === undefined ? 'control' : `completion ${seq}`;
}
