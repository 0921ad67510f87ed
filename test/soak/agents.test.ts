// An agent's whole life under a real systemd: sent over SSH, confined, at work, gone. Root only, for the machine is made of
// namespaces; everything else about it is real: sshd, useradd, systemd, its device policy, the journal.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentPusher } from '../../appliance/install/push.ts';
import { createLog } from '../../appliance/log.ts';
import type { Credential } from '../../appliance/ssh/connection.ts';
import { agentCommands } from '../../shared/model/agentCommands.ts';
import { Source } from '../../shared/model/source.ts';
import { packageAgent } from '../../tools/packageAgent.ts';
import { keyPair } from '../appliance/ssh/sshd.ts';
import { startSync } from '../appliance/startSync.ts';
import { startWorld, type World } from '../appliance/world.ts';
import { source as sourceOf } from '../fakes/definitions.ts';
import { bootMachine, type RealMachine } from './agents/realSystemd.ts';

const MIB = 2 ** 20;
const port = 20_000 + (process.pid % 10_000);
let world: World;
let machine: RealMachine;
let pusher: (credential: Credential) => AgentPusher;
let image: string;
let byKey: Credential;
let hostKey: string;

beforeAll(async () => {
  world = await startWorld();
  image = join(world.folder, 'disk.img');
  execFileSync('dd', ['if=/dev/urandom', `of=${image}`, 'bs=1M', 'count=9', 'status=none']);
  machine = await bootMachine(image);
  const keys = mkdtempSync(join(world.folder, 'keys-'));
  const [host, user] = [keyPair(keys, 'host'), keyPair(keys, 'user')];
  hostKey = host.publicKey;
  byKey = { user: 'root', privateKey: user.privateKey };
  machine.write('/etc/sshd/host', host.privateKey);
  machine.write('/etc/sshd/authorized_keys', `${user.publicKey}\n`);
  const settings = [
    ...[
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      'HostKey /etc/sshd/host',
      'AuthorizedKeysFile /etc/sshd/authorized_keys',
    ],
    ...['StrictModes no', 'PermitRootLogin yes', 'PasswordAuthentication yes', 'UsePAM no', 'PidFile none'],
  ];
  machine.write('/etc/sshd/config', `${settings.join('\n')}\n`);
  const unit = (start: string) =>
    `[Service]\nEnvironment=HOME=/\nExecStart=${start}\n[Install]\nWantedBy=test.target\n`;
  machine.write('/etc/systemd/system/test-sshd.service', unit('/usr/sbin/sshd -D -e -f /etc/sshd/config'));
  machine.write('/etc/systemd/system/demo.service', unit('/bin/sleep 1000000'));
  // As people do it whose platform has a certificate of their own.
  machine.write('/etc/sshd/ca.pem', readFileSync(world.applianceEnvironment.NODE_EXTRA_CA_CERTS, 'utf8'));
  const trust = '[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/sshd/ca.pem\n';
  machine.write('/etc/systemd/system/landfall-agent.service.d/certificates.conf', trust);
  machine.run('chmod 600 /etc/sshd/host; mkdir -p /run/sshd; echo root:a-real-password | chpasswd');
  machine.run('systemctl daemon-reload; systemctl enable --now test-sshd demo');
  const { bundle } = await packageAgent(join(import.meta.dirname, '../..'), mkdtempSync(join(world.folder, 'agent-')));
  pusher = (credential) => {
    const platform = {
      appliancesUrl: 'http://127.0.0.1/api/appliances',
      agentCredential: async () => credential,
      agentBootstrap: async () => ({
        bootstrap: world.hasEnrolled() ? null : JSON.parse(readFileSync(world.bootstrap, 'utf8')),
      }),
    };
    return new AgentPusher({ platform, stateDir: keys, bundle, log: createLog(() => undefined) });
  };
}, 300_000);
afterAll(async () => {
  await machine?.stop();
  await world?.stop();
}, 60_000);

it('is sent over SSH, reads the disk and cannot write it, has root stop a service, and goes without a trace', async () => {
  await expect
    .poll(() => machine.run('systemctl is-active test-sshd demo'), { timeout: 20_000 })
    .toBe('active\nactive');
  const source = Source.parse({ ...sourceOf('web-01'), services: [{ name: 'demo', systemd: 'demo.service' }] });
  const ssh = { host: '127.0.0.1', port, hostKeys: [hostKey] };
  const workload = { waveId: 'wave', workloadId: 'web' };
  const place = { ...workload, agentId: 'agent-web-01', ssh };
  const installed = await pusher(byKey).install('prepare-wave.web-1:1', { ...place, commands: agentCommands(source) });
  expect(installed).toMatchObject({ changed: true });
  await world.event('landfall.appliance.heartbeat');

  const blob = await world.stage('os', 9 * MIB);
  await world.command(startSync('s1', 'initial', { path: machine.disk, sizeBytes: 9 * MIB }));
  await world.event('landfall.sync.completed');
  expect((await blob.downloadToBuffer(0, 9 * MIB)).equals(readFileSync(image))).toBe(true);

  const pid = machine.run('systemctl show --property MainPID --value landfall-agent');
  const status = machine.run(`cat /proc/${pid}/status`);
  expect(status).toMatch(/^CapBnd:\t0{16}$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  expect(status).not.toMatch(/^Uid:\t0/m);
  // Whoever is in its control group may do what it may: a process of root's, even.
  const join = `for group in $(sed -n 's/^[0-9]*:\\(devices\\|\\)://p' /proc/${pid}/cgroup); do
    for place in /sys/fs/cgroup /sys/fs/cgroup/devices; do
      [ -w $place$group/cgroup.procs ] && echo $$ >$place$group/cgroup.procs
    done; done 2>/dev/null`;
  expect(machine.run(`${join}; dd if=${machine.disk} of=/dev/null bs=4k count=1 2>&1`)).toContain('1+0 records in');
  expect(machine.run(`${join}; dd if=/dev/zero of=${machine.disk} bs=4k count=1 conv=notrunc 2>&1`)).toContain(
    'Operation not permitted',
  );
  // The same without that group, so that what forbids it is the policy.
  expect(machine.run(`dd if=${machine.disk} of=${machine.disk} bs=4k count=1 conv=notrunc 2>&1`)).toContain(
    '1+0 records out',
  );

  const { services } = source;
  await world.command({
    type: 'landfall.services.stop',
    operationId: 'cutover-wave.web-1:stop',
    data: { ...workload, services },
  });
  const stopped = await world.event('landfall.services.stopped');
  expect(stopped.data.services).toMatchObject([{ name: 'demo', state: 'stopped', startMode: 'manual' }]);
  expect(machine.run('systemctl is-active demo; systemctl is-enabled demo')).toBe('inactive\ndisabled');

  machine.run('kill -9 $(systemctl show --property MainPID --value landfall-agent)');
  await expect
    .poll(() => machine.run('systemctl show --property NRestarts --value landfall-agent'), { timeout: 60_000 })
    .toBe('1');

  expect(await pusher({ user: 'root', password: 'a-real-password' }).remove('o:2', place)).toMatchObject({
    wasThere: true,
  });
  expect(
    machine.run(
      'systemctl list-unit-files --no-legend "landfall*"; getent passwd landfall-agent; getent group landfall-agent',
    ),
  ).toBe('');
  expect(machine.run('find / -xdev -name "*landfall-agent*" -path "/[eruvo]*" -not -path "/root/*"')).toBe('');
});
