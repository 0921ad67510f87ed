import type { Failure } from '../errors.ts';
import type { Choice } from '../model/attention.ts';
import type { ProbeResult } from '../model/probe.ts';
import type { DiskPoint, ServiceState } from '../protocol/events.ts';
import type { Waiting } from './effects.ts';
import type { IsolationProof } from './events.ts';
import type { Told } from './told.ts';
import type { Phase } from './phases.ts';
import type { LoweredTtl } from './ttl.ts';

export type SyncKind = 'initial' | 'delta' | 'final';
export type SyncStatus = 'idle' | 'queued' | 'running' | 'stalled' | 'paused';

/** A completed sync: a named point in time that disks can be imported from. */
export interface Point {
  syncId: string;
  kind: SyncKind;
  startedAt: string;
  completedAt: string;
  root: string;
  disks: DiskPoint[];
  consistency: 'none' | 'crash' | 'application' | 'stopped';
}

/** What one completed sync took and carried. */
export interface SyncRun {
  kind: SyncKind;
  seconds: number;
  readBytes: number;
  changedBytes: number;
  /** From the start of the sync before: what it carried had so long to change. */
  sinceSeconds?: number | undefined;
}

/** What it took to bring up a machine from a point, as the last launch went. */
export interface Launched {
  purpose: 'test' | 'cutover';
  importSeconds: number;
  bootSeconds: number;
}

/** The sync in flight or waiting; beside the phase, because deltas go on while people test. */
export interface SyncRegion {
  status: SyncStatus;
  syncId?: string | undefined;
  kind?: SyncKind | undefined;
  operationId?: string | undefined;
  applianceId?: string | undefined;
  queuedAt?: string | undefined;
  dispatchedAt?: string | undefined;
  startedAt?: string | undefined;
  /** When anything was last heard of the running sync. */
  heardAt?: string | undefined;
  attempt: number;
  progress?: { doneBytes: number; totalBytes: number; writtenBytes: number; bytesPerSecond: number } | undefined;
  lastFailure?: { syncId: string; code: string; message: string; suggestion: string; at: string } | undefined;
}

export interface StepRecord {
  status: 'running' | 'completed' | 'skipped' | 'failed' | 'undone' | 'undoFailed';
  attempt: number;
  startedAt: string;
  endedAt?: string | undefined;
  /** How long the last run took that came to its end; undoing it does not change that. */
  seconds?: number | undefined;
  evidence?: unknown;
  /** What was seen before and after the work. */
  checked?: { before?: unknown; after?: unknown } | undefined;
  failure?: Failure | undefined;
  /** Who decided that it was skipped, or undone by hand. */
  decided?: { by: string; reason: string } | undefined;
}

/** A workload's state: nothing but the fold of its events. */
export interface WorkloadState {
  groupId: string;
  planHash: string;
  /** The version of the wave's plan that it has its own plan from, or that left it out; the first one if absent. */
  planVersion?: number | undefined;
  phase: Phase;
  /** Where attention or paused lead back to. */
  remembered?: Phase | undefined;
  /** Number of events folded in; each event's own `version` is its place in the order. */
  version: number;
  updatedAt: string;
  sync: SyncRegion;
  /** The latest points, newest last; older ones are in the event log. */
  points: Point[];
  /** Since replication has been further behind than its plan allows; until the next point. */
  behind?: { since: string; lagSeconds: number; rpo: string } | undefined;
  /** The latest syncs in numbers, newest last, and the initial one. */
  syncRuns: SyncRun[];
  launched?: Launched | undefined;
  /** Where production names led before its clones booted, and the latest look at the isolation of those clones. */
  isolation?: { noted?: ProbeResult[] | undefined; proof?: (IsolationProof & { at: string }) | undefined } | undefined;
  totals: { initialBytes: number; deltaBytes: number; finalBytes: number; deltas: number };
  services: ServiceState[];
  steps: Record<string, StepRecord>;
  attention?: { attentionId: string; step: string; failure: Failure; choices: Choice[]; since: string } | undefined;
  /** While it is paused: by whom, why, and whether its deltas go on. */
  paused?: { by: string; reason: string; deltas: 'goOn' | 'stop'; since: string } | undefined;
  /** Since it left its group, in that attempt of the wave: the others go on without it. */
  left?: { by: string; reason: string; attempt: number } | undefined;
  /** Since its group went on without it in that attempt of the wave: it replicates until the next start. */
  held?: { reason: string; attempt: number } | undefined;
  /** What people have said about a machine that has no host to ask; on and connected if nothing was asked of them yet. */
  told?: Told | undefined;
  /** The latest turn of step 12's checks; the earlier ones are in the event log. */
  validation?: {
    turn: number;
    verdict: 'passed' | 'failed' | 'silent';
    results: { name: string; passed: boolean; silent: boolean; tries: number; detail: string }[];
    at: string;
  };
  /** Actions that have begun and leave nothing to look at: their operation ids, by name. */
  actions?: Record<string, string> | undefined;
  /** While records live shorter than they did. */
  ttl?: LoweredTtl | undefined;
  /** Since it has committed: when people are asked whether its points and its source may go, and when the points went. */
  decommission?: { dueAt: string; deletedAt?: string | undefined; by?: string[] | undefined } | undefined;
  downtime?: { began: string; ended?: string | undefined } | undefined;
  /** Calls that failed in passing and are tried again, by operation id. */
  waiting?: Record<string, Waiting> | undefined;
  /** Highest sequence per appliance, and how many numbers never came: a gap is recorded and never blocks. */
  heard: Record<string, { sequence: number; missing: number }>;
}
