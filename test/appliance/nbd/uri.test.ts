import { expect, it } from 'vitest';
import { describeAddress, parseNbdUri } from '../../../appliance/nbd/uri.ts';

it.each([
  ['nbd://example.com', { where: { host: 'example.com', port: 10_809 }, exportName: '' }],
  ['nbd://example.com:5/disk', { where: { host: 'example.com', port: 5 }, exportName: 'disk' }],
  ['nbd://[::1]/', { where: { host: '::1', port: 10_809 }, exportName: '' }],
  ['nbd://example.com//disk', { where: { host: 'example.com', port: 10_809 }, exportName: '/disk' }],
  ['nbd://10.0.0.1/hello%20world', { where: { host: '10.0.0.1', port: 10_809 }, exportName: 'hello world' }],
  ['nbd+unix:///disk?socket=/run/a%20b', { where: { path: '/run/a b' }, exportName: 'disk' }],
  [
    'nbds://example.com/x?tls-certificates=/etc/pki&tls-hostname=other',
    {
      where: { host: 'example.com', port: 10_809 },
      exportName: 'x',
      tls: { verify: 'other', certificates: '/etc/pki' },
    },
  ],
  [
    'nbds://example.com',
    { where: { host: 'example.com', port: 10_809 }, exportName: '', tls: { verify: 'example.com' } },
  ],
  ['nbds+unix://?socket=s&tls-verify-peer=0', { where: { path: 's' }, exportName: '', tls: { verify: undefined } }],
])('%s names one export', (uri, address) => {
  expect(parseNbdUri(uri)).toEqual(address);
});

it.each([
  ['http://example.com/x', 'http is no NBD scheme'],
  ['nbd:///x', 'the host is missing'],
  ['nbd+unix:///x', 'the parameter socket must name the Unix socket'],
  ['nbd+unix://host/x?socket=s', 'a Unix socket has no host'],
  ['nbd://example.com/?socket=s', 'the parameter socket means nothing for nbd'],
  ['nbd://example.com/?tls-hostname=x', 'the parameter tls-hostname means nothing for nbd'],
  ['nbds://example.com/?tls-type=psk', 'TLS by psk is not supported'],
  ['nbds://user@example.com/', 'user names'],
  ['nbds+unix:///x?socket=s', 'tls-hostname must say'],
  ['nbds://example.com/?tls-verify-peer=no', 'tls-verify-peer is 0 or 1'],
])('%s is refused with what is wrong', (uri, message) => {
  expect(() => parseNbdUri(uri)).toThrow(message);
});

it('is shown as people write it', () => {
  expect(describeAddress(parseNbdUri('nbds://[::1]:7/x'))).toBe('NBD export "x" at [::1]:7 (TLS)');
  expect(describeAddress(parseNbdUri('nbd+unix:///?socket=/run/s'))).toBe('NBD export "" at /run/s');
});
