import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../shared/config.ts';
import { repository } from './temporaryTree.ts';

it('the example settings name every setting that the app reads, and no other', () => {
  const { Values } = JSON.parse(readFileSync(join(repository, 'local.settings.example.json'), 'utf8'));
  // The worker's own settings; the app never reads them.
  const platform = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage', 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'];
  // Named by the timers' bindings, so the host reads them.
  const bindings = ['LANDFALL_DELTA_SCHEDULE', 'LANDFALL_WATCHDOG_SCHEDULE'];
  const named = Object.keys(Values).filter((name) => !platform.includes(name) && !bindings.includes(name));
  expect(Object.keys(readConfig(Values)).sort()).toEqual(named.sort());
});
