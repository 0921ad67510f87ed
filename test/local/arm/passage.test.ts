// What becomes of connections of machines in this Azure: nothing is sent, so only what drops them is ever answered.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fast, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const group = 'rg-network';
const inGroup = (rest: string): string => `${scope}/resourceGroups/${group}/providers/${rest}`;
const image = inGroup('Microsoft.Compute/images/appliance');
const subnet = (network: string, name: string) =>
  inGroup(`Microsoft.Network/virtualNetworks/${network}/subnets/${name}`);
const securityGroup = (name: string) => ({ id: inGroup(`Microsoft.Network/networkSecurityGroups/${name}`) });
const rule = (
  name: string,
  priority: number,
  direction: string,
  access: string,
  more: Record<string, unknown> = {},
) => ({
  name,
  properties: {
    ...{ priority, direction, access, protocol: '*', sourcePortRange: '*', destinationPortRange: '*' },
    ...{ sourceAddressPrefix: '*', destinationAddressPrefix: '*' },
    ...more,
  },
});
const groupOf = (name: string, ...securityRules: unknown[]) => ({
  id: securityGroup(name).id,
  body: { properties: { securityRules } },
});
const networkOf = (name: string, prefix: string, subnets: Record<string, [string, string?]>) => ({
  id: inGroup(`Microsoft.Network/virtualNetworks/${name}`),
  body: {
    properties: {
      addressSpace: { addressPrefixes: [prefix] },
      subnets: Object.entries(subnets).map(([name, [addressPrefix, within]]) => ({
        name,
        properties: {
          addressPrefix,
          ...(within === undefined ? {} : { networkSecurityGroup: securityGroup(within) }),
        },
      })),
    },
  },
});
const zone = inGroup('Microsoft.Network/dnsZones/corp.example');
const declared = {
  subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }],
  images: {
    [image]: { command: ['{node}', fileURLToPath(new URL('./exampleMachine.ts', import.meta.url))] },
  },
  resources: [
    groupOf('sealed', rule('deny-out', 4000, 'Outbound', 'Deny'), rule('deny-in', 4000, 'Inbound', 'Deny')),
    groupOf(
      'testers',
      rule('bastion', 100, 'Inbound', 'Allow', { sourceAddressPrefix: '10.9.2.0/24', destinationPortRange: '22' }),
      rule('deny-in', 4000, 'Inbound', 'Deny'),
    ),
    groupOf('tagged', rule('storage', 100, 'Outbound', 'Deny', { destinationAddressPrefix: 'Storage' })),
    networkOf('landing', '10.8.0.0/16', { servers: ['10.8.1.0/24'] }),
    networkOf('island', '10.9.0.0/16', {
      sealed: ['10.9.1.0/24', 'sealed'],
      bastion: ['10.9.2.0/24'],
      tested: ['10.9.3.0/24', 'testers'],
      tagged: ['10.9.4.0/24', 'tagged'],
    }),
    { id: zone, body: { location: 'global' } },
    { id: `${zone}/A/db`, body: { properties: { TTL: 60, ARecords: [{ ipv4Address: '192.0.2.10' }] } } },
    { id: `${zone}/CNAME/www`, body: { properties: { TTL: 60, CNAMERecord: { cname: 'db.corp.example' } } } },
  ],
};

let world: World;
const address: Record<string, string> = {};
beforeAll(async () => {
  world = await startWorld({ declared });
  const { compute, network } = world.as(owner);
  const subnets = { server: ['landing', 'servers'], clone: ['island', 'sealed'], bastion: ['island', 'bastion'] };
  const others = { tested: ['island', 'tested'], tagged: ['island', 'tagged'] };
  for (const [name, [where = '', part = '']] of Object.entries({ ...subnets, ...others })) {
    const nic = await network.networkInterfaces.createOrUpdate(
      group,
      `nic-${name}`,
      { location, ipConfigurations: [{ name: 'ip', subnet: { id: subnet(where, part) } }] },
      fast,
    );
    address[name] = nic.ipConfigurations?.[0]?.privateIPAddress ?? '';
    await compute.virtualMachines.createOrUpdate(
      group,
      name,
      {
        location,
        hardwareProfile: { vmSize: 'Standard_B2s' },
        storageProfile: {
          imageReference: { id: image },
          osDisk: { createOption: 'FromImage', deleteOption: 'Delete' },
        },
        osProfile: { computerName: name, customData: '' },
        networkProfile: { networkInterfaces: [{ id: nic.id ?? '' }] },
      },
      fast,
    );
  }
}, 30_000);
afterAll(() => world.stop());

async function ask(machine: string, question: object): Promise<{ status: number; said: string }> {
  const url = `${world.arm.endpoint}/network${inGroup(`Microsoft.Compute/virtualMachines/${machine}`)}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(question) });
  return { status: answer.status, said: JSON.stringify(await answer.json()) };
}
const reach = (machine: string, host: string, port = 22) => ask(machine, { reach: { host, port } });

describe('a connection that the rules drop gets no answer', () => {
  it.each([
    ['out of a sealed subnet', 'clone', '10.200.0.1', "outbound rule 'deny-out' of sealed"],
    ['out to the Internet', 'clone', '203.0.113.7', "outbound rule 'deny-out' of sealed"],
    ['into a network that is peered with nobody', 'server', 'clone', 'landing has no route to'],
    ['into a sealed subnet of its own network', 'bastion', 'clone', "inbound rule 'deny-in' of sealed"],
    ['to an address that nobody has', 'bastion', '10.9.3.200', 'no interface in island has 10.9.3.200'],
  ])('%s', async (_what, from, to, why) => {
    const { status, said } = await reach(from, address[to] ?? to);
    expect(status).toBe(200);
    expect(JSON.parse(said)).toEqual({ seen: 'silent', detail: expect.stringContaining(why) as string });
  });

  it('also by a rule for another port than the one that is allowed', async () => {
    expect(await reach('bastion', address['tested'] ?? '', 443)).toMatchObject({ status: 200 });
  });
});

describe('what is let through, or cannot be judged, is not simulated', () => {
  it.each([
    ['by the rule for a tester', 'bastion', 'tested', 'let 10.9.2.4 through'],
    ['by the default rules out', 'server', '203.0.113.7', 'let 10.8.1.4 out'],
    ['where a rule names a service', 'tagged', '203.0.113.7', "'storage' names Storage"],
  ])('%s', async (_what, from, to, why) => {
    const { status, said } = await reach(from, address[to] ?? to);
    expect([status, said]).toEqual([501, expect.stringContaining('NotSimulated')]);
    expect(said).toContain(why);
  });
});

it('names in a zone lead to their records, and to nothing where there is none; all others are not simulated', async () => {
  const resolve = (question: string, type = 'A') => ask('server', { resolve: { question, type } });
  expect(await resolve('DB.corp.example')).toEqual({ status: 200, said: '{"answers":["192.0.2.10"]}' });
  expect(await resolve('gone.corp.example')).toEqual({ status: 200, said: '{"answers":[]}' });
  for (const [question, type] of [
    ['www.corp.example', 'A'],
    ['db', 'A'],
    ['192.0.2.10', 'PTR'],
  ] as const)
    expect(await resolve(question, type)).toMatchObject({ status: 501 });
});

it('a machine that does not exist has no network', async () => {
  expect(await reach('nobody', '10.9.1.4')).toMatchObject({ status: 404 });
});
