// The ceiling: what the server's own store does on SQLite, with its own durability, without HTTP and without a client.
import type { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { openDatabase } from '../../local/sqlite.ts';
import { documentOf, inBatch } from './documents.ts';
import { measureAlone } from './measure.ts';
import type { Row } from './row.ts';

const documents = 1000;

export const names = {
  write: 'SQLite alone: get and upsert, one transaction each',
  batch: `SQLite alone: ${inBatch} creates, one transaction`,
  read: 'SQLite alone: get',
} as const;

export function sqliteAlone(folder: string, seconds: number): Row[] {
  const database: DatabaseSync = openDatabase(join(folder, 'alone.sqlite'));
  database.exec('CREATE TABLE items (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const get = database.prepare('SELECT body FROM items WHERE id = ?');
  const upsert = database.prepare('INSERT OR REPLACE INTO items (id, body) VALUES (?, ?)');
  const bodies = Array.from({ length: documents }, (_, n) => JSON.stringify(documentOf('one', n)));
  const inTransaction = (work: (turn: number) => void) => (turn: number) => {
    database.exec('BEGIN IMMEDIATE');
    work(turn);
    database.exec('COMMIT');
  };
  const write = inTransaction((turn) => {
    const id = `d${turn % documents}`;
    get.get(id);
    upsert.run(id, bodies[turn % documents] ?? '');
  });
  const insert = database.prepare('INSERT INTO items (id, body) VALUES (?, ?)');
  const createMany = inTransaction((turn) => {
    for (let at = 0; at < inBatch; at++) insert.run(`b${turn}-${at}`, bodies[at] ?? '');
  });
  const rows = [
    measureAlone(names.write, seconds, write),
    measureAlone(names.batch, seconds, createMany),
    measureAlone(names.read, seconds, (turn) => void get.get(`d${turn % documents}`)),
  ];
  database.close();
  return rows;
}
