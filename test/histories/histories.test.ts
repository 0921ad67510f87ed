// Recorded histories of every version that waves may still run on: this code, told the same, must do the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Invoker } from '../../local/host/invoke.ts';
import { HostLog } from '../../local/host/log.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';
import { codeVersion, isAtLeast } from '../../shared/durable/version.ts';
import { didOf, History } from './history.ts';
import { stories } from './stories.ts';

const registrations = await rehearsedApp();
const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
const folder = import.meta.dirname;
const versions = readdirSync(folder, { withFileTypes: true }).flatMap((each) =>
  each.isDirectory() ? [each.name] : [],
);

function recorded(version: string, file: string): [string, History][] {
  const text = gunzipSync(readFileSync(join(folder, version, file))).toString();
  return Object.entries(z.record(z.string(), History).parse(JSON.parse(text)));
}

/** What this code does when it is told a recorded history. */
async function doAgain({ orchestrator, told }: History): Promise<string[]> {
  const target = registrations.functions.get(orchestrator);
  if (target === undefined) throw new Error(`there is no orchestrator ${orchestrator}`);
  const { result } = await invoker.invoke(target, { data: { json: JSON.stringify(told) } });
  return didOf(result);
}

test('every story is recorded under the version that the code is, and no version is ahead of it', () => {
  const files = readdirSync(join(folder, codeVersion));
  expect(files.sort()).toEqual(
    Object.keys(stories)
      .map((name) => `${name}.json.gz`)
      .sort(),
  );
  expect(versions.filter((version) => !isAtLeast(codeVersion, version))).toEqual([]);
});

describe.each(versions)('version %s', (version) => {
  test.each(readdirSync(join(folder, version)))('%s is done again as it was', async (file) => {
    const histories = recorded(version, file);
    expect(histories.length).toBeGreaterThan(2);
    for (const [instanceId, history] of histories)
      expect({ instanceId, did: await doAgain(history) }).toEqual({ instanceId, did: history.did });
  });
});

test('an orchestrator that goes another way than it went is noticed', async () => {
  const histories = recorded(codeVersion, 'committed.json.gz');
  const [, cutover] = histories.find(([id]) => id.startsWith('cutover-')) ?? [];
  if (cutover === undefined) throw new Error('no cutover was recorded');
  const stillOn = JSON.stringify(cutover.told).replaceAll('\\"power\\":\\"off\\"', '\\"power\\":\\"on\\"');
  expect(stillOn).not.toBe(JSON.stringify(cutover.told));
  const again = doAgain({ ...cutover, told: JSON.parse(stillOn) as unknown });
  expect(await again.catch(() => ['failed'])).not.toEqual(cutover.did);
});
