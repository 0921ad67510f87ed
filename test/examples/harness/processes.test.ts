import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appliancesOf, endRecorded } from '../../../examples/harness/processes.ts';

it('an appliance is told from the commands that it runs, and both are ended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'harness-'));
  const program = join(folder, 'appliance', 'main.ts');
  mkdirSync(join(folder, 'appliance'));
  writeFileSync(program, 'setInterval(() => {}, 1000);');
  const env = { ...process.env, LANDFALL_STATE_DIR: join(folder, 'machines', 'db-01') };
  const appliance = spawn(process.execPath, [program], { env, stdio: 'ignore' });
  const command = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env, stdio: 'ignore' });
  try {
    await Promise.all([once(appliance, 'spawn'), once(command, 'spawn')]);
    await expect.poll(() => appliancesOf(folder).map(({ pid }) => pid)).toEqual([appliance.pid]);
    const ended = [once(appliance, 'exit'), once(command, 'exit')];
    await endRecorded(folder);
    await Promise.all(ended);
  } finally {
    appliance.kill('SIGKILL');
    command.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
