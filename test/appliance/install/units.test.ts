import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { agentUnit, layoutAt } from '../../../appliance/install/layout.ts';
import { type Units, unitsOf } from '../../../appliance/install/units.ts';

const layout = layoutAt();
const units = (asRoot: boolean): Units => unitsOf(layout, { node: process.execPath, asRoot });

/** The files in a folder of their own, and what systemd says about them. */
function verify(texts: Units): { folder: string; complaints: string } {
  const folder = mkdtempSync(join(tmpdir(), 'units-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const paths = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  // A template is verified through the socket that starts it.
  const whole = paths.filter((path) => !path.includes('@'));
  const { stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', ...whole], { encoding: 'utf8' });
  // It looks at units of the machine too, and complains about theirs.
  const complaints = stderr
    .split('\n')
    .filter((line) => line.includes('landfall'))
    .join('\n');
  return { folder, complaints: status === 0 || complaints !== '' ? complaints : stderr };
}

it('systemd has nothing to say against the units, with root’s commands and without', () => {
  expect(verify(units(true)).complaints).toBe('');
  expect(Object.keys(units(false))).toEqual([agentUnit]);
  expect(verify(units(false)).complaints).toBe('');
  expect(units(false)[agentUnit]).not.toContain('LANDFALL_COMMANDS_SOCKET');
});

it('a word that systemd does not know is found', () => {
  const texts = units(true);
  const misspelt = { ...texts, [agentUnit]: texts[agentUnit]!.replace('NoNewPrivileges', 'NoNewPrivilege') };
  expect(verify(misspelt).complaints).toContain('NoNewPrivilege');
});

it('the agent is confined: systemd sees no more than the rights to read disks and to use the network', () => {
  const { folder } = verify(units(true));
  const argv = ['security', '--offline=true', '--no-pager', '--json=short', join(folder, agentUnit)];
  const found = JSON.parse(execFileSync('systemd-analyze', argv, { encoding: 'utf8' })) as {
    set: boolean | null;
    json_field: string;
  }[];
  const open = found.filter(({ set }) => set === false).map(({ json_field: field }) => field);
  const network = ['IPAddressDeny', 'PrivateNetwork', 'RestrictAddressFamilies_AF_INET_INET6'];
  const itsOwnRoot = ['RestrictAddressFamilies_AF_UNIX'];
  const disks = ['DeviceAllow', 'PrivateDevices', 'PrivateUsers', 'SupplementaryGroups', 'RootDirectoryOrRootImage'];
  // V8 compiles to memory that it writes, and Node reads /proc/meminfo.
  const node = ['MemoryDenyWriteExecute', 'ProcSubset'];
  expect(open.sort()).toEqual([...network, ...itsOwnRoot, ...disks, ...node].sort());
});
