import { expect, it } from 'vitest';
import { SqliteJournal } from '../../../local/servicebus/store/journal.ts';

const stateOf = (text: string) => ({ state: Buffer.from(text), stateUpdatedAt: 1 });

it('acknowledges nothing any more once a commit has failed', async () => {
  const failures: unknown[] = [];
  const journal = new SqliteJournal(':memory:', (error) => failures.push(error));
  journal.saveCounter(1, 5);
  await journal.committed();
  journal.database.exec('DROP TABLE counter');
  journal.saveCounter(1, 6);
  await expect(journal.committed()).rejects.toThrow(/counter/);
  expect(failures).toHaveLength(1);
  journal.saveSession(1, 's', stateOf('x'));
  await expect(journal.committed()).rejects.toThrow(/counter/);
  journal.close();
});

it('writes what one stretch of the core did whole or not at all', async () => {
  const journal = new SqliteJournal(':memory:', () => {});
  journal.saveSession(1, 'a', stateOf('x'));
  await journal.committed();
  journal.saveSession(1, 'b', stateOf('y'));
  journal.saveEntity({ id: 1, kind: 'queue', path: 'q', properties: {}, createdAt: 0, updatedAt: 0 });
  journal.saveEntity({ id: 2, kind: 'queue', path: 'Q', properties: {}, createdAt: 0, updatedAt: 0 });
  await expect(journal.committed()).rejects.toThrow(/UNIQUE/);
  expect(journal.database.prepare('SELECT id FROM session').all()).toEqual([{ id: 'a' }]);
  expect(journal.database.prepare('SELECT id FROM entity').all()).toEqual([]);
  journal.close();
});
