import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listOf, whyNot } from '../../../shared/webhooks/addresses.ts';

const nothing = listOf([]);

it.each(['8.8.8.8', '20.50.2.1', '2a01:111:f100:2000::1', '2606:4700:4700::1111', '64:ff9b::808:808'])(
  '%s is public',
  (address) => expect(whyNot(address, nothing)).toBeUndefined(),
);

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.9.9.9',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '192.0.2.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '100::1',
])('%s is not public', (address) => {
  expect(whyNot(address, nothing)).toContain('is not public');
});

const everything = listOf(['0.0.0.0/0', '::/0']);

it.each([
  '169.254.169.254',
  '169.254.0.1',
  '168.63.129.16',
  '::ffff:169.254.169.254',
  'fe80::1',
  'fe80::1%eth0',
  'fd00:ec2::254',
  '64:ff9b::a9fe:a9fe',
])('%s is contacted whatever the settings allow: never', (address) =>
  expect(whyNot(address, everything)).toContain('link-local, or serves metadata'),
);

it('a network that the settings allow may be reached, and its neighbours may not', () => {
  const allowed = listOf(['10.20.0.0/16', 'fd12::/32', '127.0.0.1']);
  for (const address of ['10.20.255.1', 'fd12::9', '127.0.0.1', '::ffff:10.20.0.1'])
    expect(whyNot(address, allowed)).toBeUndefined();
  for (const address of ['10.21.0.1', 'fd13::9', '127.0.0.2']) expect(whyNot(address, allowed)).toBeDefined();
});

it('an address of version 4 is judged alike in each of its spellings as one of version 6', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), ([a, b, c, d]) => {
      const plain = whyNot(`${a}.${b}.${c}.${d}`, nothing);
      const hex = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(':');
      expect(whyNot(`::ffff:${a}.${b}.${c}.${d}`, nothing)).toBe(plain);
      expect(whyNot(`0:0:0:0:0:FFFF:${hex}`, nothing)).toBe(plain);
      expect(whyNot(`64:ff9b::${hex}`, nothing)).toBe(plain);
    }),
  );
});

it.each(['10.0.0.0/33', 'ten', '10.0.0/8', '::/129', '10.0.0.0/x'])('"%s" is no network', (network) => {
  expect(() => listOf([network])).toThrow(`"${network}" is no network: write it as 10.20.0.0/16 or fd12::/32`);
});
