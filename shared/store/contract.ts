// What the rest of the app may ask of the store. `cosmos*.ts` beside this file implement it on Cosmos DB.

import type { Head } from '../journal/chain.ts';
import type { Said, WaveEntry } from '../journal/entry.ts';
import type { WorkloadEvent } from '../lifecycle/events.ts';
import type { Phase } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import type { Calendar } from '../model/calendar.ts';
import type { Environment, Profile } from '../model/environment.ts';
import type { PlannedGroup, PlannedWorkload, StoredGroup, StoredPlan, WavePlan, WorkloadPlan } from '../model/plan.ts';
import type { Source } from '../model/source.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type {
  ApplianceDocument,
  AttentionDocument,
  ControlDocument,
  DraftDocument,
  EntryDocument,
  EventDocument,
  GateDocument,
  LeavingDocument,
  QuarantineDocument,
  SignalDocument,
  VersionDocument,
  WaveDocument,
  WorkloadDocument,
} from './documents.ts';

/** A document with the etag it was read with. */
export interface Read<T> {
  value: T;
  etag: string;
}

/** What became of a batch of events for one workload. */
export interface Appended {
  applied: WorkloadEvent[];
  /** Ids that were there already: applied before, once. */
  duplicates: string[];
  illegal: { event: WorkloadEvent; reason: string }[];
  state: WorkloadState;
}

/** An in-place change: `undefined` means nothing to change. May run more than once. */
export type Change<T> = (current: T) => T | undefined;

/** What makes workloads leave their group: an order or a policy's decision, created once; or the answer to a question. */
export type LeavingOrder<T> = { create: T } | { id: string; change: Change<T> };

/** What a waiting orchestration is told. */
export type Signal = Pick<SignalDocument, 'operationId' | 'cause' | 'type' | 'data' | 'at'>;

export interface Store {
  environments: {
    get(id: string): Promise<Environment | undefined>;
    list(): Promise<Environment[]>;
    put(environment: Environment): Promise<void>;
    /** Takes the wave's lease (idempotent). */
    lease(environmentId: string, waveId: string, at: string): Promise<void>;
    /** The waves that hold a lease now. */
    holders(environmentId: string): Promise<string[]>;
    /** Gives the lease back (idempotent) and says how many others remain. */
    release(environmentId: string, waveId: string): Promise<number>;
    /** Whether roles have been granted for it, by whatever wave, and not been revoked. */
    hasGrants(environmentId: string): Promise<boolean>;
    /** Writes that down, before the first is granted and after the last is revoked. */
    setGrants(environmentId: string, granted: boolean): Promise<void>;
  };
  profiles: {
    get(id: string): Promise<Profile | undefined>;
    list(): Promise<Profile[]>;
    put(profile: Profile): Promise<void>;
  };
  calendars: {
    get(id: string): Promise<Calendar | undefined>;
    list(): Promise<Calendar[]>;
    put(calendar: Calendar): Promise<void>;
  };
  sources: {
    get(id: string): Promise<Source | undefined>;
    list(): Promise<Source[]>;
    put(source: Source): Promise<void>;
  };
  waves: {
    /** Creates it unless its id exists; returns what is stored. */
    create(wave: WaveDocument): Promise<WaveDocument>;
    get(waveId: string): Promise<WaveDocument | undefined>;
    list(): Promise<WaveDocument[]>;
    /** Keeps a version that another one is about to follow, once. */
    keepVersion(version: VersionDocument): Promise<void>;
    version(waveId: string, version: number): Promise<VersionDocument | undefined>;
    /** The versions that others have followed, oldest first. */
    versions(waveId: string): Promise<VersionDocument[]>;
    /** What a wave becomes once a move is done, until it is. */
    putDraft(draft: DraftDocument): Promise<void>;
    draft(waveId: string, id: string): Promise<DraftDocument | undefined>;
    dropDraft(waveId: string, id: string): Promise<void>;
    /**
     * Read, change, replace with If-Match, again on a conflict. Throws `notFound`. What changed is told in the wave's
     * journal, in the same batch, with who `said` so and why; `entries` of its own make it happen once.
     */
    change(
      waveId: string,
      change: Change<WaveDocument>,
      said?: Said & { entries?: WaveEntry[] },
    ): Promise<WaveDocument>;
  };
  /** What a version of a wave says, in parts that never change; documents hold only a `StoredPlan`. */
  plans: {
    /** Stores it, part by part: nobody sees it before a document names it. Repeatable. */
    put(definition: WaveDefinition, plan: WavePlan): Promise<StoredPlan>;
    /** One group with its members. Throws `notFound`. */
    group(plan: StoredPlan, groupId: string): Promise<PlannedGroup>;
    groups(plan: StoredPlan): Promise<PlannedGroup[]>;
    /** The workloads of a group as they were written, and what that came to. */
    workloads(plan: StoredPlan, group: StoredGroup): Promise<PlannedWorkload[]>;
    /** All of it again: for people, who compare versions. */
    whole(plan: StoredPlan): Promise<{ definition: WaveDefinition; plan: WavePlan }>;
  };
  gates: {
    /** Creates it unless it exists; returns what is stored. */
    open(gate: GateDocument): Promise<GateDocument>;
    get(waveId: string, gateId: string): Promise<GateDocument | undefined>;
    list(waveId: string): Promise<GateDocument[]>;
    change(waveId: string, gateId: string, change: Change<GateDocument>): Promise<GateDocument>;
  };
  attentions: {
    open(attention: AttentionDocument): Promise<AttentionDocument>;
    list(waveId: string): Promise<AttentionDocument[]>;
    change(waveId: string, id: string, change: Change<AttentionDocument>): Promise<AttentionDocument>;
  };
  leaving: {
    get(waveId: string): Promise<LeavingDocument | undefined>;
    /**
     * Says who leaves, and what makes them, in one write: nobody is ever let go whom nothing tells. Where `change` returns
     * nothing, at first of nothing, nothing is written and nothing returned.
     */
    change<T extends AttentionDocument | ControlDocument>(
      waveId: string,
      change: (current: LeavingDocument | undefined) => LeavingDocument | undefined,
      order: LeavingOrder<T>,
    ): Promise<T | undefined>;
  };
  controls: {
    /** Gives an order, once. */
    put(control: ControlDocument): Promise<void>;
    /**
     * Gives it together with what `told` makes of the wave's document, in one write, even where that stays the same: whoever
     * writes the wave's end, at the same moment, does so before or after it. Nothing is written where `told` throws.
     */
    give(control: ControlDocument, told: (wave: WaveDocument) => WaveDocument): Promise<void>;
    list(waveId: string): Promise<ControlDocument[]>;
  };
  /** The wave's own journal: whatever waves, gates, attentions and controls change is in it already. */
  journal: {
    /** Appends entries, each once. */
    append(waveId: string, entries: readonly WaveEntry[]): Promise<void>;
    head(waveId: string): Promise<Head | undefined>;
    /** Entries in order, from after a version. */
    entries(waveId: string, afterVersion?: number, limit?: number): Promise<EntryDocument[]>;
    /** Entries by their place among all entries of the wave. */
    inPlace(waveId: string, after: string, limit: number): Promise<EntryDocument[]>;
  };
  workloads: {
    /** Registers a workload, once; `version` is that of the wave's plan, if it is not the first. */
    register(plan: WorkloadPlan, at: string, by: string, version?: number): Promise<void>;
    get(waveId: string, workloadId: string): Promise<WorkloadDocument | undefined>;
    /** Those of these that are there, in their order. */
    some(waveId: string, workloadIds: readonly string[]): Promise<WorkloadDocument[]>;
    /** Those of a group, by one query, in no order; whom a version has left out is not among them. */
    ofGroup(waveId: string, groupId: string): Promise<WorkloadDocument[]>;
    /** The workloads of the wave's plan; those that a version has left out are only found by their id. */
    list(waveId: string): Promise<WorkloadDocument[]>;
    /**
     * Folds events into the state and commits both in one transactional batch (at most 99 events), once each; with a
     * plan, that too, if anything was applied. Throws `notFound`.
     */
    append(waveId: string, workloadId: string, events: WorkloadEvent[], plan?: WorkloadPlan): Promise<Appended>;
    /** Events in order, from after a version; of some types only, or at most so many, if asked. */
    events(
      waveId: string,
      workloadId: string,
      afterVersion?: number,
      only?: { types?: readonly WorkloadEvent['type'][]; limit?: number },
    ): Promise<EventDocument[]>;
    /** Events of all workloads of a wave by their place among all entries, without progress. */
    inPlace(waveId: string, after: string, limit: number): Promise<EventDocument[]>;
    /** Where every workload's journal of a wave ends. */
    heads(waveId: string): Promise<{ workloadId: string; head: Head }[]>;
    /** Whether any workload of a wave is in one of these. */
    anyInPhases(waveId: string, phases: readonly Phase[]): Promise<boolean>;
    /** Across waves, for the timers. */
    inPhases(phases: readonly Phase[]): Promise<WorkloadDocument[]>;
    withSync(statuses: readonly WorkloadState['sync']['status'][]): Promise<WorkloadDocument[]>;
  };
  appliances: {
    get(applianceId: string): Promise<ApplianceDocument | undefined>;
    list(environmentId?: string): Promise<ApplianceDocument[]>;
    /** Creates it unless its id exists in its environment, and says whether it did: of two at once, one registers. */
    create(appliance: ApplianceDocument): Promise<boolean>;
    /** Creates or replaces. */
    put(appliance: ApplianceDocument): Promise<void>;
    change(applianceId: string, change: Change<ApplianceDocument>): Promise<ApplianceDocument>;
    remove(applianceId: string): Promise<void>;
  };
  /** Messages to waiting orchestrations, created once per operation id and cause; the change feed delivers them. */
  signals: {
    toWave(waveId: string, signal: Signal): Promise<void>;
    toEnvironment(environmentId: string, signal: Signal): Promise<void>;
  };
  quarantine: {
    put(document: QuarantineDocument): Promise<void>;
    list(limit: number): Promise<QuarantineDocument[]>;
    get(id: string): Promise<QuarantineDocument | undefined>;
  };
}
