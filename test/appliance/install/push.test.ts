import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { AgentPusher, type Around } from '../../../appliance/install/push.ts';
import { createLog } from '../../../appliance/log.ts';
import { startMachine, type TestMachine } from './machine.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let machine: TestMachine;
let stateDir: string;
const lines: string[] = [];
const token = 'a-one-time-token-that-nobody-may-read';
/** Stands for the agent: says that it has enrolled, and stays. */
const agent = `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
mkdirSync(process.env.LANDFALL_STATE_DIR, { recursive: true });
const { token } = JSON.parse(readFileSync(process.env.LANDFALL_BOOTSTRAP, 'utf8'));
writeFileSync(process.env.LANDFALL_STATE_DIR + '/identity.json', JSON.stringify({ enrolled: token.length }));
console.log('enrolled');
setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  machine = await startMachine({});
  stateDir = mkdtempSync(join(tmpdir(), 'target-'));
});
afterAll(async () => {
  await machine.stop();
  rmSync(stateDir, { recursive: true });
});

const place = () => ({
  ...{ waveId: 'w1', workloadId: 'db', agentId: 'agent-db-01' },
  ssh: machine.sshd.machine,
});
const pusher = (rest: Partial<Around> = {}) => {
  const bundle = join(stateDir, 'landfall-agent.mjs');
  writeFileSync(bundle, agent);
  const platform = {
    appliancesUrl: 'https://landfall.corp.example/api/appliances',
    agentCredential: async () => machine.sshd.credential,
    agentBootstrap: async () => ({
      bootstrap: { enrolUrl: 'https://landfall.corp.example/api/appliances/enrol', token, kind: 'agent' as const },
    }),
  };
  const log = createLog((line) => lines.push(line));
  return new AgentPusher({ platform, stateDir, bundle, log, root: machine.layout.root, ...rest });
};

it('what it is itself it puts there and takes away, and what it says holds neither login nor token', async () => {
  const installed = await pusher().install('o:1', { ...place(), commands: [] });
  expect(installed).toMatchObject({
    agentId: 'agent-db-01',
    changed: true,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(existsSync(machine.layout.socketUnit)).toBe(false);
  expect(await pusher().remove('o:2', place())).toEqual({ agentId: 'agent-db-01', wasThere: true });
  const said = [...lines, JSON.stringify(installed), machine.sshd.log(), machine.asked().join('\n')].join('\n');
  expect(lines).toHaveLength(2);
  expect(said).not.toContain(token);
  expect(said).not.toContain('PRIVATE KEY');
  expect(readdirSync(stateDir)).toEqual(['landfall-agent.mjs']);
});

it('a login that a killed process has left is gone when the next one starts', () => {
  mkdirSync(join(stateDir, 'ssh-abc'));
  writeFileSync(join(stateDir, 'ssh-abc/key'), 'a private key');
  pusher();
  expect(readdirSync(stateDir)).toEqual(['landfall-agent.mjs']);
});

it('from sources that nobody has packaged there is nothing to send', async () => {
  const installing = pusher({ bundle: undefined }).install('o:3', { ...place(), commands: [] });
  await expect(installing).rejects.toMatchObject({
    code: 'bundleMissing',
    suggestion: expect.stringContaining('LANDFALL_AGENT_BUNDLE'),
  });
});

it('a machine that takes what it is sent and never answers is given up, and nothing stays logged in', async () => {
  const hangs = join(machine.folder, 'hangs');
  writeFileSync(hangs, '#!/bin/sh\nexec sleep 10\n', { mode: 0o755 });
  machine.without('df');
  machine.with('df', hangs);
  const removing = pusher({ withinMs: 1500 }).remove('o:4', place());
  await expect(removing).rejects.toMatchObject({
    code: 'sshTimeout',
    message: '127.0.0.1 has not done what it was asked to within 2 s.',
  });
  expect(readdirSync(stateDir)).toEqual(['landfall-agent.mjs']);
});
