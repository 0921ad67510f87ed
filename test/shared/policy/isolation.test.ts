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
  sourcePorts: ['*'],
  destinationPorts: ['*'],
  ...change,
});
const denyOut = rule({ name: 'denyOut', priority: 4000 });
const denyIn = rule({ name: 'denyIn', priority: 4000, direction: 'Inbound' });
const denyAll = [denyOut, denyIn];
const reasons = (facts: Partial<SubnetFacts>, ...rules: RuleFacts[]) =>
  proveIsolation({ ...subnet, ...facts }, rules).reasons;
const hole = (change: Partial<RuleFacts>) => rule({ name: 'hole', access: 'Allow', ...change });
/** What every security group has: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview */
const defaults = (['Inbound', 'Outbound'] as const).flatMap((direction) => [
  rule({
    name: 'AllowVnet',
    priority: 65000,
    direction,
    access: 'Allow',
    source: 'VirtualNetwork',
    destination: 'VirtualNetwork',
  }),
  rule({ name: 'DenyAll', priority: 65500, direction }),
]);

describe('a test subnet', () => {
  it('is isolated when it denies everything both ways and allows only itself before', () => {
    const proof = proveIsolation(subnet, [
      ...denyAll,
      hole({ name: 'self', destination: '10.1.2.0/24' }),
      hole({ name: 'two', priority: 101, destination: '10.1.2.7,10.1.2.9' }),
      hole({ name: 'from self', direction: 'Inbound', source: '10.1.2.0/25' }),
      ...defaults,
    ]);
    expect(proof).toEqual({ isolated: true, reasons: [] });
  });

  it('is not, while the platform’s default rules let traffic out or in', () => {
    expect(reasons({ networkSecurityGroupId: undefined }, ...denyAll)).toEqual([
      expect.stringContaining('no network security group'),
    ]);
    expect(reasons({}, denyIn)).toEqual([expect.stringContaining('no outbound rule denies everything')]);
    expect(reasons({}, denyOut)).toEqual([expect.stringContaining('no inbound rule denies everything')]);
    expect(reasons({}, ...defaults)).toEqual([
      'outbound rule "AllowVnet" allows VirtualNetwork before everything is denied',
      'inbound rule "AllowVnet" allows VirtualNetwork before everything is denied',
    ]);
  });

  it.each([
    { protocol: 'Tcp' },
    { destinationPorts: ['443'] },
    { sourcePorts: ['1024-65535'] },
    { source: '10.9.0.0/16', destination: 'Internet' },
    { source: '0.0.0.0/0', destination: '0.0.0.0/0' },
    { source: '', destination: '' },
  ])('is not, when what is denied is not everything: %j', (change) => {
    const halves = denyAll.map((half) => ({ ...half, ...change }));
    expect(reasons({}, ...halves)).toHaveLength(2);
  });

  it.each(['10.1.0.0/16', '10.1.3.0/24', 'VirtualNetwork', 'Internet', '*', '10.1.2.0/23', '10.1.2.7,10.1.3.7', ''])(
    'is not, when "%s" is allowed before everything is denied, whichever way',
    (other) => {
      expect(reasons({}, hole({ destination: other }), ...denyAll)).toEqual([
        expect.stringContaining('outbound rule "hole"'),
      ]);
      expect(reasons({}, hole({ direction: 'Inbound', source: other }), ...denyAll)).toEqual([
        expect.stringContaining('inbound rule "hole"'),
      ]);
    },
  );

  it('is, when the hole comes after the denial', () => {
    expect(reasons({}, hole({ priority: 4096 }), hole({ priority: 4096, direction: 'Inbound' }), ...denyAll)).toEqual(
      [],
    );
  });

  it('is reached by testers whom the plan names, reaches nobody, and nobody else reaches it', () => {
    const testers = [{ name: 'bastion', from: '10.1.9.0/26' }];
    const of = (...rules: RuleFacts[]) => proveIsolation(subnet, [...rules, ...denyAll], testers).reasons;
    expect(of(hole({ direction: 'Inbound', source: '10.1.9.0/26,10.1.2.0/24' }))).toEqual([]);
    expect(of(hole({ direction: 'Inbound', source: '10.1.9.0/25' }))).toHaveLength(1);
    expect(of(hole({ destination: '10.1.9.0/26' }))).toHaveLength(1);
  });

  it('is not, when its network is peered or routed elsewhere', () => {
    expect(reasons({ peerings: ['hub'], routeTableId: '/rt' }, ...denyAll)).toEqual([
      expect.stringContaining('hub'),
      expect.stringContaining('/rt'),
    ]);
  });
});
