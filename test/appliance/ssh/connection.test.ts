import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Credential, type Machine, SshConnection } from '../../../appliance/ssh/connection.ts';
import { sshProblem } from '../../../appliance/ssh/failures.ts';
import { keyPair, type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
let within: string;
beforeAll(async () => {
  sshd = await startSshd();
  within = mkdtempSync(join(tmpdir(), 'ssh-here-'));
});
afterAll(async () => {
  await sshd.stop();
  rmSync(within, { recursive: true });
});

const open = (machine: Partial<Machine> = {}, credential: Partial<Credential> = {}) =>
  SshConnection.open({ ...sshd.machine, ...machine }, { ...sshd.credential, ...credential }, { within });

it('one login serves many commands, and nothing of it stays when it is closed', async () => {
  const connection = await open();
  onTestFinished(() => connection.close());
  const logins = () => sshd.log().match(/Accepted publickey/g)?.length ?? 0;
  const before = logins();
  expect(await connection.run('sh -s', 'echo out; echo err >&2; exit 7')).toEqual({
    exit: 7,
    output: 'out\n',
    errors: 'err\n',
  });
  const file = join(within, 'sent');
  const megabyte = Buffer.alloc(1 << 20, 'x');
  expect((await connection.run(`dd of=${file} bs=64k`, Readable.from([megabyte, megabyte]))).exit).toBe(0);
  expect((await connection.run(`wc -c ${file}`)).output).toMatch(/^2097152 /);
  expect(logins()).toBe(before);
  await connection.close();
  expect(readdirSync(within)).toEqual(['sent']);
  await expect.poll(() => /Disconnected|Received disconnect|closed/.test(sshd.log())).toBe(true);
});

it('a machine with another host key is sent nothing, and its key is named', async () => {
  const other = keyPair(mkdtempSync(join(within, 'k-')), 'other');
  const logins = sshd.log().length;
  const differs = open({ hostKeys: [other.publicKey] });
  await expect(differs).rejects.toMatchObject({
    code: 'sshHostKeyDiffers',
    message: expect.stringMatching(/127\.0\.0\.1, port \d+ .*SHA256:/),
  });
  const rsa = keyPair(mkdtempSync(join(within, 'k-')), 'rsa', 'ecdsa');
  await expect(open({ hostKeys: [rsa.publicKey] })).rejects.toMatchObject({ code: 'sshHostKeyDiffers' });
  expect(sshd.log().slice(logins)).not.toContain('Accepted');
  // One that is among those that are named is enough.
  const connection = await open({ hostKeys: [other.publicKey, ...sshd.machine.hostKeys] });
  await connection.close();
});

it('a login that is refused says what the server takes', async () => {
  const stranger = keyPair(mkdtempSync(join(within, 'k-')), 'stranger');
  const refused = { code: 'sshAuthRefused', message: expect.stringContaining('it takes publickey') };
  await expect(open({}, { privateKey: stranger.privateKey })).rejects.toMatchObject(refused);
  await expect(open({}, { privateKey: undefined, password: 'guessed' })).rejects.toMatchObject(refused);
});

it('a key that is no key is told apart from one that is refused', async () => {
  await expect(open({}, { privateKey: 'hello' })).rejects.toMatchObject({ code: 'sshKeyUnusable' });
});

it('nobody listening, and a name that leads nowhere or to instance metadata, are what they are', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await expect(open({ port })).rejects.toMatchObject({
    code: 'sshRefused',
    message: `Nobody listens at 127.0.0.1, port ${port}.`,
  });
  await expect(open({ host: 'no-such-machine.invalid' })).rejects.toMatchObject({ code: 'sshUnresolved' });
  await expect(open({ host: '169.254.169.254' })).rejects.toMatchObject({ code: 'sshUnresolved' });
  expect(readdirSync(within).filter((name) => name.startsWith('ssh-'))).toEqual([]);
});

it('one that hangs up before it greets is a lost connection', async () => {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(open({ port })).rejects.toMatchObject({ code: 'sshLost' });
});

it('a connection that breaks in the middle says so', async () => {
  const connection = await open();
  onTestFinished(() => connection.close());
  const broken = connection.run('sh -s', 'kill -9 $PPID; sleep 20');
  await expect(broken).rejects.toMatchObject({ code: expect.stringMatching(/^ssh/) });
});

it.each([
  ['ssh: connect to host 10.0.0.9 port 22: No route to host', 'sshNoRoute'],
  ['ssh: connect to host 10.0.0.9 port 22: Network is unreachable', 'sshNoRoute'],
  ['ssh: connect to host 10.0.0.9 port 22: Connection timed out', 'sshTimeout'],
  ['Connection timed out during banner exchange\r\nConnection to 10.0.0.9 port 22 timed out', 'sshTimeout'],
  [
    'Unable to negotiate with 10.0.0.9 port 22: no matching cipher found. Their offer: 3des-cbc',
    'sshNoCommonAlgorithm',
  ],
  ['Something that no release has said so far', 'sshFailed'],
])('%j is %s', (said, code) => {
  const problem = sshProblem({ host: 'db-01', port: 22 }, said);
  expect(problem.code).toBe(code);
  expect(problem.message).toContain('db-01, port 22');
  expect(problem.suggestion).not.toBe('');
});
