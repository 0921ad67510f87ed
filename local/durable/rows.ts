// What the engine's tables hold, as types; the SQL is in schema.ts.
import { freshProgress, type Progress } from './decide.ts';
import type { HistoryEvent } from './history.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Terminated' | 'Suspended';

export const isTerminal = (status: RuntimeStatus): boolean =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated';

export interface Parent {
  id: string;
  execution: string;
  task: number;
}

export interface InstanceRow {
  id: string;
  name: string;
  version: string | undefined;
  status: RuntimeStatus;
  /** Changes with every start and every continue-as-new; completions meant for another execution are dropped. */
  execution: string;
  parent: Parent | undefined;
  created: number;
  updated: number;
  input: string | undefined;
  output: string | undefined;
  customStatus: string | undefined;
  progress: Progress;
}

export interface Message {
  seq: number;
  /** Undefined for events that any execution accepts: raised events and control messages. */
  execution: string | undefined;
  event: HistoryEvent;
}

export interface Task {
  instance: string;
  execution: string;
  id: number;
  name: string;
  input: string;
}

export interface Timer {
  instance: string;
  execution: string;
  id: number;
  fireAt: number;
}

export type Row = Record<string, unknown>;

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export function toInstance(row: Row): InstanceRow {
  const parent = text(row['parent']);
  const progress = text(row['progress']);
  return {
    id: String(row['id']),
    name: String(row['name']),
    version: text(row['version']),
    status: String(row['status']) as RuntimeStatus,
    execution: String(row['execution']),
    parent: parent === undefined ? undefined : (JSON.parse(parent) as Parent),
    created: Number(row['created']),
    updated: Number(row['updated']),
    input: text(row['input']),
    output: text(row['output']),
    customStatus: text(row['custom_status']),
    progress: progress === undefined ? freshProgress() : (JSON.parse(progress) as Progress),
  };
}
