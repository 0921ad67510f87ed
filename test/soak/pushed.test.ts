// An agent that the target appliance puts onto a source over SSH: the app in the local Azure, the appliance as its process, a
// real sshd. Systemd and the making of users are stand-ins there (test/appliance/install/standins); what the unit names is
// really started, replicates the source's disk, and is gone when the wave is withdrawn.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { plan } from '../../examples/harness/definitions.ts';
import { repository } from '../../examples/harness/processes.ts';
import { Stage } from '../../examples/harness/stage.ts';
import { watchWave } from '../../examples/harness/watch.ts';
import type { Source } from '../../shared/model/source.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import { packageAgent } from '../../tools/packageAgent.ts';
import { startMachine, type TestMachine } from '../appliance/install/machine.ts';
import { complainOfAttention, definitionsFor, newPlace, smaller } from '../scenarios/world.ts';

const waveId = 'pushed';
const servers = [{ id: 'db-01', service: 'ledger', diskMiB: 16, dataMiB: 2 }];
const place = newPlace();
let stage: Stage;
let machine: TestMachine;

/** What exists in the local Azure, with appliances that have a bundle to send and know that machines are only played. */
async function resources(): Promise<string> {
  const { bundle } = await packageAgent(repository, mkdtempSync(join(place.folder, 'agent-')));
  const text = readFileSync(join(repository, 'infra/local.resources.json'), 'utf8');
  const told = { LANDFALL_AGENT_BUNDLE: bundle, LANDFALL_MACHINE_ROOT: machine.layout.root };
  const path = join(place.folder, 'resources.json');
  writeFileSync(
    path,
    text.replace('"LANDFALL_NETWORK_URL"', `${JSON.stringify(told).slice(1, -1)}, "LANDFALL_NETWORK_URL"`),
  );
  return path;
}

const only = (wave: WaveDefinition): WaveDefinition => ({
  ...wave,
  id: waveId,
  groups: wave.groups.filter(({ workloads }) => workloads.some(({ source }) => source === 'db-01')),
});

beforeAll(async () => {
  const ca = join(place.folder, 'cloud/pki/ca.crt');
  machine = await startMachine({ NODE_EXTRA_CA_CERTS: ca, LANDFALL_HOST_NAME: 'db-01' }, place.folder);
  const { user, privateKey } = machine.sshd.credential;
  const credentials = { ops: { user, keySetting: 'LANDFALL_SSH_OPS_KEY', hosts: ['127.0.0.0/8'] } };
  const settings = { LANDFALL_SSH_CREDENTIALS: JSON.stringify(credentials), LANDFALL_SSH_OPS_KEY: privateKey };
  stage = await Stage.set(place.folder, servers, undefined, settings, await resources());
  const definitions = smaller(definitionsFor(stage.values()), servers, only);
  const agent: Source['agent'] = { ssh: { ...machine.sshd.machine, credential: 'ops' } };
  const sources = definitions.sources.map(({ id, yaml }) => ({
    id,
    yaml: JSON.stringify({ ...(parse(yaml) as Source), agent }),
  }));
  await plan(stage.asAda, { ...definitions, sources });
}, 120_000);
afterAll(async () => {
  await stage?.strike();
  await machine?.stop();
  await place.clear();
}, 60_000);

it('comes by SSH, replicates the disk, and is gone with everything of it when the wave is withdrawn', async () => {
  const api = stage.asAda;
  await api.startWave(waveId);
  const complain = complainOfAttention(stage);
  let installed: string | undefined;
  const last = await watchWave(api, waveId, {
    everyMs: 100,
    withinMs: 150_000,
    enough: complain,
    async seen() {
      if (installed !== undefined) return;
      const { state } = await api.workload(waveId, 'db01');
      if (state.points.length === 0) return;
      installed = readFileSync(machine.layout.operation, 'utf8');
      await api.rollback(waveId, { to: 'withdrawn', reason: 'it was only looked at' });
    },
  });
  expect(last.wave.status).toBe('rolledBack');
  expect(installed).toMatch(/^prepare-pushed\.db01-1:installAgent:db01:\d+$/);
  const { programs, settings, state, agentUnit } = machine.layout;
  expect([programs, settings, state, agentUnit].filter((path) => existsSync(path))).toEqual([]);
  expect(machine.asked()).toEqual(
    expect.arrayContaining(['systemctl enable landfall-agent.service', 'userdel landfall-agent']),
  );
  expect((await api.appliances()).map(({ applianceId }) => applianceId)).toEqual([]);
  expect(machine.sshd.log().match(/Accepted publickey/g)?.length).toBeGreaterThanOrEqual(2);

  // The login is nowhere but in the settings, and for moments on the appliance.
  const secret = machine.sshd.credential.privateKey.split('\n')[2] ?? '';
  expect(secret.length).toBeGreaterThan(60);
  const events = JSON.stringify(await api.request('GET', `waves/${waveId}/journal?limit=500`));
  expect(events).toContain('landfall.agent.installed');
  expect(events).toContain('landfall.agent.removed');
  for (const text of [events, readFileSync(stage.cloud.logFile, 'utf8')]) expect(text).not.toContain(secret);
}, 200_000);
