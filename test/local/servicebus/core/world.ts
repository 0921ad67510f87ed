// The core alone: a clock that stands still until told, ids that count, and a journal that remembers what it was told.
import rhea from 'rhea';
import { Broker } from '../../../../local/servicebus/core/broker.ts';
import { Deadlines } from '../../../../local/servicebus/core/deadlines.ts';
import type { Journal } from '../../../../local/servicebus/core/environment.ts';

export function world() {
  let now = 1_000_000;
  let alarm: { at: number; run: () => void } | undefined;
  let ids = 0;
  const clock = {
    now: () => now,
    wake: (at: number, run: () => void) => {
      alarm = { at, run };
      return () => {
        alarm = undefined;
      };
    },
  };
  const written: string[] = [];
  const note =
    (name: string) =>
    (...parameters: unknown[]) =>
      void written.push(`${name} ${parameters.map((p) => (typeof p === 'object' ? '' : String(p))).join(' ')}`.trim());
  const journal: Journal = {
    saveEntity: note('saveEntity'),
    removeEntity: note('removeEntity'),
    insert: note('insert'),
    update: note('update'),
    noteDelivered: note('noteDelivered'),
    remove: note('remove'),
    saveSession: note('saveSession'),
    saveCounter: note('saveCounter'),
    remember: note('remember'),
    forget: note('forget'),
    saveRule: note('saveRule'),
    removeRule: note('removeRule'),
  };
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  const broker = new Broker({
    now: () => now,
    newId,
    deadlines: new Deadlines(clock),
    journal,
    afterCommit: (run) => run(),
  });
  return {
    broker,
    written,
    /** Moves time on, stopping at every alarm. */
    pass(ms: number) {
      const end = now + ms;
      while (alarm && alarm.at <= end) {
        const { at, run } = alarm;
        alarm = undefined;
        now = Math.max(now, at);
        run();
      }
      now = end;
    },
    message: (body: unknown, fields: object = {}): Buffer => Buffer.from(rhea.message.encode({ body, ...fields })),
  };
}

export const bodyOf = (raw: Buffer): unknown => rhea.message.decode(raw).body;
