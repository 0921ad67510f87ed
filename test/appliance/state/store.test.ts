import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Store } from '../../../appliance/state/store.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
  store = Store.open(folder);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const full = 2;
const waits = (): unknown => store.get('PRAGMA synchronous')?.['synchronous'];
const addDisk = (name: string): void => store.run("INSERT INTO disk (workload, name) VALUES ('w', ?)", name);
const disks = (): unknown[] => store.all('SELECT name FROM disk ORDER BY name').map(({ name }) => name);

it('waits for the disk with every transaction, except with one that says it need not', () => {
  expect(waits()).toBe(full);
  store.keep(() => {
    expect(waits()).toBeLessThan(full);
    store.commit(() => addDisk('a'));
  });
  expect(waits()).toBe(full);
  expect(() =>
    store.keep(() => {
      addDisk('b');
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(waits()).toBe(full);
  // What is kept inside of a transaction is part of it.
  store.commit(() => store.keep(() => expect(waits()).toBe(full)));
  expect(disks()).toEqual(['a']);
});

it('gives rows one after the other', () => {
  for (const name of ['a', 'b', 'c']) store.keep(() => addDisk(name));
  const rows = store.each('SELECT name FROM disk WHERE name >= ? ORDER BY name', 'b');
  expect([...rows].map(({ name }) => name)).toEqual(['b', 'c']);
});

it('believes nothing that an earlier version knew of blobs', () => {
  store.run("INSERT INTO lastPoint (workload, root, blobs, sync, tracked) VALUES ('w', 'r', 'b', 's', 0)");
  store.close();
  const old = new DatabaseSync(join(folder, 'state.db'));
  old.exec('CREATE TABLE block (key INTEGER PRIMARY KEY, known INTEGER NOT NULL, source BLOB NOT NULL)');
  old.close();
  for (let opened = 0; opened < 2; opened++) {
    store = Store.open(folder);
    expect(store.all('SELECT * FROM lastPoint')).toEqual([]);
    expect(store.get("SELECT 1 FROM sqlite_schema WHERE name = 'block'")).toBeUndefined();
    if (opened === 0) store.close();
  }
});
