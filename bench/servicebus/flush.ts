// SQLite alone: a message and its commit, one by one. No server that acknowledges what is on the disk does with less.
import { join } from 'node:path';
import { openDatabase } from '../../local/sqlite.ts';
import { measureAlone } from '../cosmos/measure.ts';
import { body } from './body.ts';
import type { Row } from './measure.ts';

export const what = 'ceiling: SQLite alone, a message and its commit';

export function commitOneByOne(directory: string, seconds: number): Row {
  const database = openDatabase(join(directory, 'alone.sqlite'));
  database.exec('CREATE TABLE message (seq INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO message (raw) VALUES (?)');
  const raw = Buffer.from(JSON.stringify(body));
  const alone = measureAlone(what, seconds, () => {
    database.exec('BEGIN IMMEDIATE');
    insert.run(raw);
    database.exec('COMMIT');
  });
  database.close();
  const { operations: count, clientCpuSeconds: serverCpuSeconds } = alone;
  return { what, count, seconds: alone.seconds, serverCpuSeconds, clientCpuSeconds: 0 };
}
