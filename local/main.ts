// The local Azure as a program: node local/main.ts [--data DIR] [--resources FILE] [--app DIR] [--watch]
// Prints one JSON line with its endpoints when everything answers; SIGTERM or SIGINT stops it cleanly.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startCloud } from './cloud.ts';
import { takeDirectory } from './directoryLock.ts';
import { stopOnSignal } from './onSignal.ts';
import { readResources } from './resources.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.landfall/cloud' },
    resources: { type: 'string', default: 'infra/local.resources.json' },
    app: { type: 'string', default: '.' },
    watch: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
// Debian keeps e2fsprogs in /usr/sbin, which people's PATH leaves out.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const dataDir = resolve(values.data);
const log = (line: string): void => {
  if (!values.quiet) process.stderr.write(`${line}\n`);
};

try {
  takeDirectory(dataDir);
  const cloud = await startCloud({
    appDirectory: resolve(values.app),
    resources: readResources(resolve(values.resources)),
    dataDir,
    log,
    watch: values.watch,
  });
  const { caFile, endpoints, loadErrors } = cloud;
  for (const error of loadErrors) process.stderr.write(`NOT RUNNING: ${error}\n`);
  const ready = JSON.stringify({ pid: process.pid, caFile, endpoints, loadErrors });
  const readyFile = join(dataDir, 'ready.json');
  writeFileSync(`${readyFile}.new`, ready);
  renameSync(`${readyFile}.new`, readyFile);
  process.stdout.write(`${ready}\n`);
  stopOnSignal(() => {
    rmSync(readyFile, { force: true });
    return cloud.stop();
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
