import { expect, test } from 'vitest';
import { World } from './world/world.ts';

test('every activity call has an operation id of its own, and a retry keeps it', async () => {
  const world = await World.open();
  const failure = { code: 'unavailable', kind: 'transient', message: 'away', suggestion: 'wait' } as const;
  world.script.fail('importDisk', failure, { times: 2 });
  await world.start();
  await world.ended();
  await world.close();
  const { calls } = world.script;
  const first = calls.filter(({ attempt }) => attempt === 1);
  expect(new Set(first.map(({ operationId }) => operationId)).size).toBe(first.length);
  const imports = calls.filter(
    ({ operationId }) => operationId === calls.find(({ attempt }) => attempt === 2)?.operationId,
  );
  expect(imports.map(({ name }) => name)).toEqual(imports.map(() => 'importDisk'));
  expect(imports.map(({ attempt }) => attempt)).toEqual(imports.map((_, index) => index + 1));
  expect(first.map(({ operationId }) => operationId)).toContain('prepare-w1.db-1:createStaging:1');
});
