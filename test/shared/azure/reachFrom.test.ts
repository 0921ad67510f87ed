import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { listenOnLoopback } from '../../../local/loopback.ts';
import { readReached, reachScript } from '../../../shared/azure/reachFrom.ts';

it('what a shell really prints is understood: open, and refused although nothing listens', async () => {
  const server = createServer((socket) => socket.end());
  const open = await listenOnLoopback(server as never);
  const gone = createServer();
  const closed = await listenOnLoopback(gone as never);
  await new Promise((done) => gone.close(done));
  const endpoints = [open, closed].map((port) => ({ host: '127.0.0.1', port }));
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', reachScript(endpoints).join('\n')]);
  server.close();
  expect(readReached(endpoints, stdout).map(({ seen }) => seen)).toEqual(['open', 'refused']);
});

it.each([
  ['probe 0 124', 'silent'],
  ['bash: line 1: connect: No route to host\nprobe 0 1', 'unreachable'],
  ['bash: line 1: connect: Network is unreachable\nprobe 0 1', 'unreachable'],
  ['bash: line 1: connect: Connection timed out\nprobe 0 1', 'silent'],
  ['timeout: failed to run command ‘bash’: No such file or directory\nprobe 0 127', 'notRun'],
  ['bash: line 1: /dev/tcp/10.0.0.1/1: No such file or directory\nprobe 0 1', 'notRun'],
  ['', 'notRun'],
  ['probe 1 124', 'notRun'],
])('%j means %s', (output, seen) => {
  expect(readReached([{ host: '10.0.0.1', port: 1 }], output)).toMatchObject([{ seen }]);
});

it('nothing but an address becomes a line of a script that runs as root', () => {
  for (const host of ['example.test', "10.0.0.1'; reboot", '10.0.0.1/2', '$(reboot)', ''])
    expect(() => reachScript([{ host, port: 1 }])).toThrow('is no address');
});
