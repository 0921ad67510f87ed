// What was written in a rehearsed story, asked for by what it shows.
import type { Rehearsal } from '../../../rehearsal/rehearse.ts';
import { approvers } from '../../../rehearsal/world/persons.ts';
import type { PlatformEvent } from '../../../shared/lifecycle/events.ts';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import type {
  AttentionDocument,
  ControlDocument,
  EventDocument,
  GateDocument,
  WaveDocument,
} from '../../../shared/store/documents.ts';

type Type = PlatformEvent['type'];
type Entry<T extends Type> = Extract<PlatformEvent, { type: T }>;
/** An order as it was given, and for whom. */
export interface Ordered {
  signal: ControlDocument['signal'];
  at: string;
  scope: 'wave' | 'group' | 'workload';
  by: string;
}

/** Whoever is a person, by one name: who it was is of no interest here. */
const whose = (by: string): string => (approvers.has(by) || by === 'ada' ? 'people' : by);

export class Evidence {
  readonly rehearsal: Rehearsal;
  readonly #world: Rehearsal['world'];
  #byType: Map<string, EventDocument[]> | undefined;

  constructor(rehearsal: Rehearsal) {
    this.rehearsal = rehearsal;
    this.#world = rehearsal.world;
  }

  waves(is: (wave: WaveDocument) => boolean): boolean {
    return this.#world.documents<WaveDocument>('wave').some(is);
  }

  gate(is: (gate: GateDocument) => boolean): boolean {
    return this.#world.documents<GateDocument>('gate').some(is);
  }

  /** Whether a question was answered by people, or by one of the policies, in such a way. */
  answered(
    by: string,
    is: (answer: NonNullable<AttentionDocument['answer']>, asked: AttentionDocument) => boolean,
  ): boolean {
    const questions = this.#world.documents<AttentionDocument>('attention');
    return questions.some(
      (asked) => asked.answer !== undefined && whose(asked.answer.by) === by && is(asked.answer, asked),
    );
  }

  /** Whether a workload's journal has such an entry. */
  entry<T extends Type>(
    type: T,
    is: (data: Entry<T>['data'], document: EventDocument) => boolean = () => true,
  ): boolean {
    return this.#entries(type).some((document) => is(document.event.data as Entry<T>['data'], document));
  }

  /** Whether an order of people or of a policy was given, and a journal of its wave has such an entry after it. */
  ordered<T extends Type>(
    by: string,
    is: (order: Ordered) => boolean,
    type: T,
    shows: (data: Entry<T>['data'], order: Ordered, entry: EventDocument) => boolean,
  ): boolean {
    return this.#world.documents<ControlDocument>('control').some(({ signal, at, waveId, instanceIds }) => {
      const ofWave = 'allOfAttempt' in instanceIds || instanceIds.includes(`wave-${waveId}`);
      const scope = 'workloadIds' in signal && signal.workloadIds ? 'workload' : ofWave ? 'wave' : 'group';
      const order = { signal, at, scope, by: signal.by } as const;
      if (whose(signal.by) !== by || !is(order)) return false;
      return this.#entries(type).some(
        (entry) =>
          entry.waveId === waveId &&
          entry.event.time >= at &&
          shows(entry.event.data as Entry<T>['data'], order, entry),
      );
    });
  }

  /** When a workload first came to a phase, if it did. */
  came(waveId: string, workloadId: string, phase: Phase): string | undefined {
    const entries = this.#entries('landfall.workload.phaseEntered');
    return entries.find(
      (entry) =>
        entry.waveId === waveId &&
        entry.workloadId === workloadId &&
        (entry.event.data as Entry<'landfall.workload.phaseEntered'>['data']).phase === phase,
    )?.event.time;
  }

  /** The phase that a workload came to before an entry of its journal. */
  phaseBefore({ waveId, workloadId, version }: EventDocument): Phase | undefined {
    const entry = this.#entries('landfall.workload.phaseEntered').findLast(
      (each) => each.waveId === waveId && each.workloadId === workloadId && each.version < version,
    );
    return (entry?.event.data as Entry<'landfall.workload.phaseEntered'>['data'] | undefined)?.phase;
  }

  #entries(type: Type): readonly EventDocument[] {
    this.#byType ??= Map.groupBy(this.#world.documents<EventDocument>('event'), ({ event }) => event.type);
    return this.#byType.get(type) ?? [];
  }
}
