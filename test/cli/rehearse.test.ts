import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environment, profile, sources, wavePosted } from '../fakes/definitions.ts';

const folder = mkdtempSync(join(tmpdir(), 'landfall-rehearse-'));
const put = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
put('wave.yaml', wavePosted());
put('inventory.json', [environment, profile, ...sources]);

function landfall(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['cli/main.ts', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const wave = join(folder, 'wave.yaml');

test('a wave is rehearsed from its file and what lies beside it, and its times are told', () => {
  const { status, stdout } = landfall('rehearse', wave, '--quiet');
  expect(stdout).toMatch(/^Seed 1: w1 committed after/);
  expect(stdout).toMatch(/Downtime\n.*w1\/db .* inside its window/);
  expect(stdout).toContain('Critical path');
  expect(status).toBe(0);
});

test('a step is made to fail, and the same seed as JSON tells the same story again', () => {
  const args = ['rehearse', wave, '--fail', 'postCutover:db', '--seed', '4', '--json'];
  const [first, second] = [landfall(...args), landfall(...args)];
  expect(first).toEqual(second);
  const [report] = JSON.parse(first.stdout) as { deeds: string[]; findings: unknown[]; again: string }[];
  expect(report?.deeds.join()).toContain('answer postCutover');
  expect(report?.findings).toEqual([]);
  expect(report?.again).toBe(`landfall rehearse ${wave} --fail postCutover:db --seed 4`);
});

test('what cannot be rehearsed is told with the way out, and ends with 2', () => {
  put('broken.yaml', { ...wavePosted(), profile: 'nobody' });
  const refused = landfall('rehearse', join(folder, 'broken.yaml'));
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toContain('profile');
  expect(landfall('rehearse')).toMatchObject({
    status: 2,
    stderr: 'Name the wave to rehearse: landfall rehearse wave.yaml\n',
  });
  expect(landfall('dance')).toMatchObject({ status: 2 });
});

test('a recorded run is made of event logs, and gives the next rehearsal its pace', () => {
  const time = (minute: number) => new Date(Date.UTC(2026, 11, 5, 20, minute)).toISOString();
  const step = (type: string, minute: number) => ({
    type: `landfall.step.${type}`,
    time: time(minute),
    data: { step: 'osAgent' },
  });
  const disks = [{ changedBytes: 600 * 1_048_576 }];
  const sync = {
    type: 'landfall.sync.completed',
    time: time(20),
    data: { kind: 'initial', startedAt: time(10), disks },
  };
  put('db.json', { version: 3, events: [step('started', 0), step('completed', 5), sync] });
  const run = join(folder, 'run.recorded');
  expect(landfall('rehearse', '--record', run, join(folder, 'db.json')).status).toBe(0);
  expect(JSON.parse(readFileSync(run, 'utf8'))).toMatchObject({
    steps: [{ workloadId: 'db', step: 'osAgent', seconds: 300 }],
    syncs: [{ kind: 'initial', seconds: 600, bytes: 600 * 1_048_576 }],
  });
  const { stdout } = landfall('rehearse', wave, '--quiet', '--latencies', run, '--json');
  const [report] = JSON.parse(stdout) as { steps: { step: string; seconds: number }[] }[];
  expect(report?.steps.find((each) => each.step === 'osAgent')?.seconds).toBeGreaterThan(200);
});
