// SQLite alone: a message and its commit, one by one. No server that acknowledges what is on the disk does with less.
import { join } from 'node:path';
import { openDatabase } from '../../local/sqlite.ts';
import { body } from './body.ts';
import type { Row } from './measure.ts';

export const what = 'ceiling: SQLite alone, a message and its commit';

export function commitOneByOne(directory: string, seconds: number): Row {
  const database = openDatabase(join(directory, 'alone.sqlite'));
  database.exec('CREATE TABLE message (seq INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO message (raw) VALUES (?)');
  const raw = Buffer.from(JSON.stringify(body));
  const cpu = process.cpuUsage();
  const began = performance.now();
  let count = 0;
  for (; performance.now() < began + seconds * 1000; count++) {
    database.exec('BEGIN IMMEDIATE');
    insert.run(raw);
    database.exec('COMMIT');
  }
  const elapsed = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  database.close();
  return { what, count, seconds: elapsed, serverCpuSeconds: (user + system) / 1e6, clientCpuSeconds: 0 };
}
