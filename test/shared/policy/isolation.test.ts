import { describe, expect, it } from 'vitest';
import { proveIsolation, type RuleFacts, type SubnetFacts } from '../../../shared/policy/isolation.ts';

const subnet: SubnetFacts = { addressPrefix: '10.1.2.0/24', peerings: [], networkSecurityGroupId: '/nsg' };
const rule = (change: Partial<RuleFacts>): RuleFacts => ({
  name: 'r',
  priority: 100,
  direction: 'Outbound',
  access: 'Deny',
  protocol: '*',
  source: '*',
  destination: '*',
  destinationPorts: ['*'],
  ...change,
});
const denyAll = rule({ name: 'denyAll', priority: 4000 });
const reasons = (facts: Partial<SubnetFacts>, ...rules: RuleFacts[]) =>
  proveIsolation({ ...subnet, ...facts }, rules).reasons;

describe('a test subnet', () => {
  it('is isolated when it denies everything and allows only itself before', () => {
    const proof = proveIsolation(subnet, [
      denyAll,
      rule({ name: 'self', access: 'Allow', destination: '10.1.2.0/24' }),
      rule({ name: 'one', access: 'Allow', priority: 101, destination: '10.1.2.7' }),
    ]);
    expect(proof).toEqual({ isolated: true, reasons: [] });
  });

  it('is not, while the platform’s default rules let traffic out', () => {
    expect(reasons({ networkSecurityGroupId: undefined }, denyAll)).toEqual([
      expect.stringContaining('no network security group'),
    ]);
    expect(reasons({})).toEqual([expect.stringContaining('default rules')]);
    for (const hole of [
      { protocol: 'Tcp' },
      { destination: 'Internet' },
      { destinationPorts: ['443'] },
      { source: '10.9.0.0/16' },
      { direction: 'Inbound' as const },
    ])
      expect(reasons({}, rule(hole))).toHaveLength(1);
  });

  it.each(['10.1.0.0/16', '10.1.3.0/24', 'VirtualNetwork', 'Internet', '*', '10.1.2.0/23'])(
    'is not, when %s is allowed before everything is denied',
    (destination) => {
      expect(reasons({}, rule({ name: 'hole', access: 'Allow', destination }), denyAll)).toEqual([
        expect.stringContaining('"hole"'),
      ]);
    },
  );

  it('is, when the hole comes after the denial or is inbound', () => {
    expect(reasons({}, rule({ access: 'Allow', priority: 4096 }), denyAll)).toEqual([]);
    expect(reasons({}, rule({ access: 'Allow', direction: 'Inbound' }), denyAll)).toEqual([]);
  });

  it('is not, when its network is peered or routed elsewhere', () => {
    expect(reasons({ peerings: ['hub'], routeTableId: '/rt' }, denyAll)).toEqual([
      expect.stringContaining('hub'),
      expect.stringContaining('/rt'),
    ]);
  });
});
