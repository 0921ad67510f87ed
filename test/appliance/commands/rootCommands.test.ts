import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { answerCommand, askRoot } from '../../../appliance/commands/rootCommands.ts';

let folder: string;
let socket: string;
let allowed: string;
const server = createServer((connection) => void answerCommand(connection, allowed));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'root-'));
  socket = join(folder, 'commands.sock');
  allowed = join(folder, 'commands.json');
  await once(server.listen(socket), 'listening');
});
afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  await closed;
  rmSync(folder, { recursive: true });
});

const sh = (script: string): string[] => ['/bin/sh', '-c', script];
const allow = (...commands: string[][]): void => writeFileSync(allowed, JSON.stringify({ commands }), { mode: 0o600 });

it('a command that the file names runs, and its end, output and errors come back', async () => {
  const command = sh('echo "$LANDFALL_SYNC"; echo against it >&2; exit 3');
  allow(sh('exit 0'), command);
  const ran = await askRoot(socket, command, 5000, undefined, { LANDFALL_SYNC: 'db01.d7' });
  expect(ran).toEqual({ exit: 3, output: 'db01.d7\n', errors: 'against it\n' });
});

it('one word more or less is another command, and is not run', async () => {
  const file = join(folder, 'made');
  allow(['touch', file]);
  for (const argv of [['touch', file, `${file}2`], ['touch'], ['/usr/bin/touch', file]])
    expect(await askRoot(socket, argv, 5000)).toMatchObject({
      exit: 'notStarted',
      errors: expect.stringContaining('does not name it'),
    });
  expect(existsSync(file)).toBe(false);
});

it('nothing runs by a file that others could have written, that is no list, or that is not there', async () => {
  allow(sh('exit 0'));
  chmodSync(allowed, 0o620);
  expect((await askRoot(socket, sh('exit 0'), 5000)).errors).toContain('others could have written it');
  chmodSync(allowed, 0o600);
  writeFileSync(allowed, 'all of them');
  expect((await askRoot(socket, sh('exit 0'), 5000)).errors).toContain(`${allowed} cannot be used`);
  rmSync(allowed);
  expect((await askRoot(socket, sh('exit 0'), 5000)).errors).toContain('ENOENT');
});

it('no other variable travels than the names of syncs', async () => {
  allow(sh('env'));
  const told = { LD_PRELOAD: '/tmp/mine.so' };
  expect(await askRoot(socket, sh('env'), 5000, undefined, told)).toMatchObject({ exit: 'notStarted', output: '' });
  const strange = await askRoot(socket, sh('env'), 5000, undefined, { LANDFALL_SYNC: 'a\nb' });
  expect(strange).toMatchObject({ exit: 'notStarted', output: '' });
});

it('whoever gives up ends the command', async () => {
  const [begun, ended] = [join(folder, 'begun'), join(folder, 'ended')];
  const slow = sh(`touch ${begun}; sleep 30; touch ${ended}`);
  allow(slow);
  const giveUp = new AbortController();
  const asked = askRoot(socket, slow, 60_000, giveUp.signal);
  await expect.poll(() => existsSync(begun)).toBe(true);
  giveUp.abort();
  expect((await asked).exit).toBe('killed');
  // Its server waits for its connections, and those for their commands.
  expect(existsSync(ended)).toBe(false);
});

it('a command that takes too long is ended, and where nobody listens nothing is run', async () => {
  allow(sh('sleep 30'));
  expect((await askRoot(socket, sh('sleep 30'), 200)).exit).toBe('timeout');
  const nobody = await askRoot(join(folder, 'nobody'), sh('exit 0'), 5000);
  expect(nobody).toMatchObject({ exit: 'notStarted', errors: expect.stringContaining('ENOENT') });
});
