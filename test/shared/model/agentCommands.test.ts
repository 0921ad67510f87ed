import { expect, it } from 'vitest';
import { agentCommands } from '../../../shared/model/agentCommands.ts';
import { Source } from '../../../shared/model/source.ts';
import { source } from '../../fakes/definitions.ts';

it('an agent may run every command of its source, those of snapshots for each disk, and each is named once', () => {
  const startMode = { show: ['is-enabled', 'db'], automatic: ['enable', 'db'], manual: ['disable', 'db'] };
  const db = { name: 'db', start: ['start', 'db'], stop: ['stop', 'db'], status: ['status', 'db'] };
  const disk = { path: '/dev/vdb', sizeBytes: 512 };
  const found = agentCommands(
    Source.parse({
      ...source('db-01'),
      services: [
        { ...db, startMode },
        { ...db, name: 'again' },
      ],
      disks: [
        { id: 'os', ...disk },
        { id: 'data', ...disk },
      ],
      snapshot: { take: ['snap', 'take'], release: ['snap', 'release'] },
      quiesce: { freeze: ['db', 'freeze'], thaw: ['db', 'thaw'] },
    }),
  );
  expect(found.map((argv) => argv.join(' ')).sort()).toEqual([
    ...['db freeze', 'db thaw', 'disable db', 'enable db', 'is-enabled db'],
    ...['snap release data', 'snap release os', 'snap take data', 'snap take os'],
    ...['start db', 'status db', 'stop db'],
  ]);
});

it('a source without commands asks for none', () => {
  expect(agentCommands({ ...source('db-01'), services: [], snapshot: undefined, quiesce: undefined })).toEqual([]);
});
