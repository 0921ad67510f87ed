// The tables. An item's row carries its whole JSON text, so a point read never parses it, and the container's last
// change number (LSN), so the row set ordered by `lsn` *is* the latest-version change feed.
import type { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS databases (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  ts INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS containers (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  database INTEGER NOT NULL REFERENCES databases(number) ON DELETE CASCADE,
  id TEXT NOT NULL,
  definition TEXT NOT NULL,
  lsn INTEGER NOT NULL DEFAULT 0,
  ts INTEGER NOT NULL,
  UNIQUE (database, id)
) STRICT;
CREATE TABLE IF NOT EXISTS offers (
  container INTEGER PRIMARY KEY REFERENCES containers(number) ON DELETE CASCADE,
  throughput INTEGER NOT NULL,
  isAutoscale INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ranges (
  container INTEGER NOT NULL REFERENCES containers(number) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  parents TEXT NOT NULL,
  PRIMARY KEY (container, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
  number INTEGER PRIMARY KEY,
  container INTEGER NOT NULL REFERENCES containers(number) ON DELETE CASCADE,
  epk TEXT NOT NULL,
  pk TEXT NOT NULL,
  id TEXT NOT NULL,
  lsn INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  expires INTEGER,
  etag TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS uniques (
  container INTEGER NOT NULL,
  epk TEXT NOT NULL,
  pk TEXT NOT NULL,
  number INTEGER NOT NULL,
  value TEXT NOT NULL,
  item INTEGER NOT NULL REFERENCES items(number) ON DELETE CASCADE,
  PRIMARY KEY (container, epk, pk, number, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uniquesByItem ON uniques (item);
CREATE TABLE IF NOT EXISTS versions (
  number INTEGER PRIMARY KEY,
  container INTEGER NOT NULL REFERENCES containers(number) ON DELETE CASCADE,
  lsn INTEGER NOT NULL,
  epk TEXT NOT NULL,
  ts INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pruned (
  container INTEGER PRIMARY KEY REFERENCES containers(number) ON DELETE CASCADE,
  lsn INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS versionsByLsn ON versions (container, lsn);
CREATE UNIQUE INDEX IF NOT EXISTS itemsByKey ON items (container, epk, pk, id);
-- Both end in the item's number, in whose order queries read.
CREATE INDEX IF NOT EXISTS itemsByContainer ON items (container);
CREATE INDEX IF NOT EXISTS itemsByPlace ON items (container, epk);
CREATE INDEX IF NOT EXISTS itemsByLsn ON items (container, lsn);
CREATE INDEX IF NOT EXISTS itemsByExpiry ON items (expires) WHERE expires IS NOT NULL;
`;

export function createSchema(database: DatabaseSync): void {
  database.exec(SCHEMA);
}
