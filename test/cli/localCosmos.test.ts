import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startIdentity } from '../../local/identity/server.ts';
import { trustCa } from '../../local/pki.ts';

const folder = mkdtempSync(join(tmpdir(), 'landfall-local-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const Ready = z.object({ pid: z.number(), endpoint: z.url(), key: z.string(), caFile: z.string().optional() });

async function start(...args: string[]) {
  const child = spawn(process.execPath, ['cli/main.ts', 'local', 'cosmos', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const ready = Ready.parse(JSON.parse(String(line)));
  const { endpoint, key } = ready;
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    return (await ended)[0] as number | null;
  };
  return { client: new CosmosClient({ endpoint, key }), ready, stop };
}

test('it starts alone with what a file declares, keeps its data over a restart and stops when told', async () => {
  const file = join(folder, 'databases.json');
  const containers = [{ name: 'things', partitionKey: { paths: ['/kind'] } }];
  writeFileSync(file, JSON.stringify([{ name: 'mine', containers }]));
  const options = ['--data', join(folder, 'data'), '--databases', file, '--partitions', '3'];
  const first = await start(...options);
  const things = first.client.database('mine').container('things');
  await things.items.create({ id: 'a', kind: 'x' });
  expect(await things.getFeedRanges()).toHaveLength(3);
  expect(await first.stop()).toBe(0);
  const second = await start(...options);
  const { resource } = await second.client.database('mine').container('things').item('a', 'x').read();
  expect(resource).toMatchObject({ id: 'a', kind: 'x' });
  expect(await second.stop()).toBe(0);
});

test('over HTTPS it takes the tokens of the issuer that it was told', async () => {
  const identity = await startIdentity({
    tenantId: '11111111-1111-1111-1111-111111111111',
    users: [],
    managedIdentities: [{ name: 'app', clientId: 'client-1', principalId: 'principal-1' }],
  });
  onTestFinished(() => identity.stop());
  const { issuer, jwksUri, identityEndpoint, identityHeader } = identity;
  const options = ['--data', join(folder, 'tls'), '--tls', '--issuer', issuer, '--jwks', jwksUri];
  const { client, ready, stop } = await start(...options);
  trustCa(readFileSync(ready.caFile ?? '', 'utf8'));
  await client.databases.create({ id: 'd' });
  await client.database('d').containers.create({ id: 'c', partitionKey: '/p' });
  const getToken = async (scopes: string | string[]) => {
    const resource = String(scopes).replace(/\/\.default$/, '');
    const address = `${identityEndpoint}?api-version=2019-08-01&client_id=client-1&resource=${resource}`;
    const answer = await fetch(address, { headers: { 'X-IDENTITY-HEADER': identityHeader } });
    const { access_token: token } = z.object({ access_token: z.string() }).parse(await answer.json());
    return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
  };
  const byToken = new CosmosClient({ endpoint: ready.endpoint, aadCredentials: { getToken } });
  expect((await byToken.database('d').container('c').items.create({ id: 'x', p: 1 })).statusCode).toBe(201);
  const forged = { getToken: async () => ({ token: 'forged', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const stranger = new CosmosClient({ endpoint: ready.endpoint, aadCredentials: forged });
  await expect(stranger.database('d').container('c').item('x', 1).read()).rejects.toMatchObject({ code: 401 });
  expect(await stop()).toBe(0);
});

test.each([
  [['cosmos', '--port', 'many'], '--port must be a whole number'],
  [['cosmos', '--memory', '--tls'], '--tls needs a --data folder'],
  [['cosmos', '--memory', '--issuer', 'https://issuer.test'], '--issuer needs --jwks'],
  [['cosmos', '--memory', '--key', 'not base64'], '--key must be Base64'],
  [['mainframe'], 'There is no part "mainframe"'],
])('what makes no sense is said before it starts: %s', (args, said) => {
  const { status, stderr } = spawnSync(process.execPath, ['local/standalone.ts', ...args], { encoding: 'utf8' });
  expect(stderr).toContain(said);
  expect(status).not.toBe(0);
});
