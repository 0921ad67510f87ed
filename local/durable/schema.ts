// The engine's tables, and how a database of an earlier version becomes one of this version. SQLite keeps the version in
// the file itself (`user_version`), so that it changes in the same transaction as the tables.
import type { DatabaseSync } from 'node:sqlite';

/** Each entry takes a database from the version of its place to the next one; a new database takes them all. */
const steps: readonly string[] = [
  // IF NOT EXISTS: databases from before versions were counted have these tables and version 0.
  `
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
`,
];

/** Brings a database to the version of this engine; refuses one that a later engine has written. */
export function migrate(database: DatabaseSync): void {
  const to = steps.length;
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > to)
    throw new Error(
      `The Durable state ${database.location() ?? ''} has version ${version}, written by a later Landfall; this one knows version ${to}. Start that one, or another data directory.`,
    );
  if (version === to) return;
  database.exec(`BEGIN IMMEDIATE; ${steps.slice(version, to).join('')} PRAGMA user_version = ${to}; COMMIT;`);
}
