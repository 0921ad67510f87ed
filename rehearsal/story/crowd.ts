// The people of a story: they decide at gates, answer questions and give orders, after a while and in their own ways. In
// the end somebody always decides, so that no story waits for ever.
import type { AttentionDocument, ControlDocument, GateDocument, WaveDocument } from '../../shared/store/documents.ts';
import type { Latencies } from '../latencies/latencies.ts';
import type { Written } from '../world/mirror.ts';
import { carl } from '../world/persons.ts';
import { answer } from './answers.ts';
import { decideLater } from './atGates.ts';
import { type Doings, reason } from './doings.ts';
import { giveOrder, resumeAfter } from './giveOrder.ts';
import type { Order } from './orders.ts';
import type { Story } from './story.ts';

/** How long it takes until somebody looks after a wave that was paused by its failure budget. */
const budgetMinutes = 120;
const givenUp: ReadonlySet<WaveDocument['status']> = new Set(['incomplete', 'rolledBack', 'cancelled', 'failed']);
/** How long they wait for a wave that has ended: it may be started again. */
const patientMinutes = 600;

export class Crowd {
  readonly #doings: Doings;
  readonly #people: Story['people'];
  readonly #minutes: Latencies['people'];
  readonly #asked = new Set<string>();
  readonly #answers = new Map<string, number>();

  constructor(doings: Doings, people: Story['people'], minutes: Latencies['people']) {
    this.#doings = doings;
    this.#people = people;
    this.#minutes = minutes;
  }

  /** Reads what was written, and acts on what is asked. */
  reads(document: Written): void {
    if (document.kind === 'wave') this.#waitedFor(document as unknown as WaveDocument);
    const asked = document as unknown as GateDocument | AttentionDocument | ControlDocument;
    if (asked.kind !== 'gate' && asked.kind !== 'attention' && asked.kind !== 'control') return;
    if (asked.kind !== 'control' && asked.status !== 'open') return;
    const key = `${asked.waveId}/${asked.id}`;
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    if (asked.kind === 'gate') decideLater(this.#doings, asked, this.#people, this.#minutes.gateMinutes);
    else if (asked.kind === 'attention') this.#questioned(asked);
    else resumeAfter(this.#doings, asked, budgetMinutes);
  }

  /** Whoever waits for a wave that has ended without committing would wait until that is started again: they give up. */
  #waitedFor({ waveId, status, attempt }: WaveDocument): void {
    const key = `${waveId}/ended ${attempt}`;
    if (!givenUp.has(status) || this.#asked.has(key)) return;
    this.#asked.add(key);
    for (const other of this.#doings.world.documents<WaveDocument>('wave'))
      if (
        other.plan.groups.some(({ needs }) => needs.some((need) => need.waveId === waveId && waveId !== other.waveId))
      )
        this.#doings.later(patientMinutes, () =>
          this.#doings.ask(`cancel ${other.waveId}`, 'wavesCancel', { id: other.waveId }, { reason }, carl),
        );
  }

  /** Gives one of the story's orders: at this very moment, beside whatever happens, or after a while. */
  order(order: Order): void {
    const { motion } = this.#doings.world;
    if (order.laterMinutes === 0) motion.aside(giveOrder(this.#doings, order));
    else motion.later(order.laterMinutes * 60_000, () => giveOrder(this.#doings, order));
  }

  #questioned(question: AttentionDocument): void {
    const { world } = this.#doings;
    const sleeps = this.#doings.chance.happens(this.#people.sleeps);
    this.#doings.later(sleeps ? 1500 : this.#minutes.questionMinutes, async () => {
      const { waveId, id, step } = question;
      const stands = () => world.openQuestions().find((each) => each.id === id && each.waveId === waveId);
      if (stands() === undefined) return;
      const times = (this.#answers.get(`${waveId} ${step}`) ?? 0) + 1;
      this.#answers.set(`${waveId} ${step}`, times);
      await answer(this.#doings, question, this.#people, times);
      // Refused, or overtaken by something else: as long as it stands open, somebody comes back to it.
      if (stands() !== undefined) this.#questioned(question);
    });
  }
}
