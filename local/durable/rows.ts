// What the engine's tables hold, as SQL and as types.
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

export const schema = `
CREATE TABLE IF NOT EXISTS instance (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT, status TEXT NOT NULL, execution TEXT NOT NULL, parent TEXT,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, input TEXT, output TEXT, custom_status TEXT, progress TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instance_created ON instance (created, id);
CREATE INDEX IF NOT EXISTS instance_status ON instance (status, created, id);
CREATE TABLE IF NOT EXISTS history (
  instance TEXT NOT NULL, seq INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (instance, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_instance ON inbox (instance, seq);
CREATE TABLE IF NOT EXISTS task (
  instance TEXT NOT NULL, execution TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL,
  PRIMARY KEY (instance, execution, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timer (
  instance TEXT NOT NULL, execution TEXT NOT NULL, id INTEGER NOT NULL, fire_at INTEGER NOT NULL,
  PRIMARY KEY (instance, execution, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_due ON timer (fire_at);
`;

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
