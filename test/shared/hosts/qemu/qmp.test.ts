import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { QmpGone, QmpRefusal, QmpSilence, withQmp } from '../../../../shared/hosts/qemu/qmp.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server on a Unix socket that treats each client like this. */
async function serve(client: (socket: Socket) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-qmp-'));
  const server = createServer(client).listen(join(folder, 'socket'));
  closing.push(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  await once(server, 'listening');
  return join(folder, 'socket');
}

const greeting = '{"QMP":{"version":{},"capabilities":[]}}\r\n';
/** Answers each command in turn with what is given, in pieces of so many bytes. */
const answering =
  (answers: string[], pieceBytes = 1000) =>
  (socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.write(greeting);
    socket.on('data', async () => {
      const bytes = Buffer.from(answers.shift() ?? '');
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        socket.write(bytes.subarray(at, at + pieceBytes));
        await nextTurn();
      }
    });
  };

test('answers are found among events, however they are cut into pieces', async () => {
  const event = '{"event":"STOP","timestamp":{"seconds":1,"microseconds":2}}\r\n';
  const answers = ['{"return":{}}\r\n', `${event}${event}{"return":{"a":"ü"}}\r\n${event}`];
  const path = await serve(answering(answers, 1));
  expect(await withQmp(path, (qmp) => qmp.execute('query-status'))).toEqual({ a: 'ü' });
});

test('a refusal says which command and why', async () => {
  const path = await serve(
    answering(['{"return":{}}\r\n', '{"error":{"class":"DeviceNotFound","desc":"Device \'x\' not found"}}\r\n']),
  );
  const refused = withQmp(path, (qmp) => qmp.execute('set_link', { name: 'x' }));
  await expect(refused).rejects.toThrow("set_link: Device 'x' not found");
  await expect(refused).rejects.toBeInstanceOf(QmpRefusal);
});

test('nobody behind the socket, or somebody who hangs up, is gone', async () => {
  await expect(withQmp('/nowhere/socket', async () => 1)).rejects.toBeInstanceOf(QmpGone);
  await expect(withQmp(await serve((socket) => socket.end()), async () => 1)).rejects.toBeInstanceOf(QmpGone);
});

test('somebody who never greets, greets otherwise or never ends a line is given up', async () => {
  for (const client of [
    () => {},
    (socket: Socket) => void socket.write('SSH-2.0\r\n'),
    (socket: Socket) => void socket.write('{"return":{}}\r\n'),
    (socket: Socket) => {
      socket.on('error', () => {});
      socket.write('x'.repeat(5 * 2 ** 20));
    },
  ])
    await expect(withQmp(await serve(client), async () => 1, 300)).rejects.toBeInstanceOf(QmpSilence);
});
