import { expect, test } from 'vitest';
import { GroupCommit, openDatabase } from '../../local/sqlite.ts';

function open(around?: (commit: () => void) => void) {
  const database = openDatabase(':memory:');
  database.exec('CREATE TABLE word (text TEXT NOT NULL)');
  const writer = new GroupCommit(database, around);
  const insert = (text: string | null) => () => void database.prepare('INSERT INTO word VALUES (?)').run(text);
  const words = () =>
    database
      .prepare('SELECT text FROM word')
      .all()
      .map((row) => row['text']);
  return { writer, insert, words };
}

const outcomes = async (...writes: Promise<unknown>[]) =>
  (await Promise.allSettled(writes)).map(({ status }) => status);

test('writes of one turn share a commit, and are acknowledged after it', async () => {
  let commits = 0;
  const { writer, insert, words } = open((commit) => {
    commits++;
    commit();
  });
  const first = writer.write(insert('a')).then(() => commits);
  const second = writer.writeOrGiveUp(insert('b')).then(() => commits);
  expect({ commits, words: words() }).toEqual({ commits: 0, words: ['a', 'b'] });
  expect(await Promise.all([first, second])).toEqual([1, 1]);
});

test('a write that throws takes back what it wrote, and nothing else', async () => {
  const { writer, insert, words } = open();
  const failing = writer.write(() => {
    insert('half')();
    insert(null)();
  });
  expect(await outcomes(writer.write(insert('before')), failing, writer.write(insert('after')))).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(words()).toEqual(['before', 'after']);
});

test('when a writer gives up, all of its turn is taken back and told so; the next turn is another one', async () => {
  const { writer, insert, words } = open();
  const before = writer.writeOrGiveUp(insert('before'));
  const failing = writer.writeOrGiveUp(() => {
    insert('half')();
    insert(null)();
  });
  expect(await outcomes(before, failing)).toEqual(['rejected', 'rejected']);
  expect(words()).toEqual([]);
  await writer.writeOrGiveUp(insert('later'));
  expect(words()).toEqual(['later']);
});

test('when a commit fails, nothing of it stays and everyone of its turn is told', async () => {
  let isFull = true;
  const { writer, insert, words } = open((commit) => {
    if (isFull) throw new Error('the disk is full');
    commit();
  });
  expect(await outcomes(writer.write(insert('a')), writer.writeOrGiveUp(insert('b')), writer.committed())).toEqual([
    'rejected',
    'rejected',
    'rejected',
  ]);
  expect(words()).toEqual([]);
  isFull = false;
  await writer.write(insert('c'));
  expect(words()).toEqual(['c']);
});
