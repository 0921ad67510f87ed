import { expect, it } from 'vitest';
import type { MigrationError } from '../../../shared/errors.ts';
import { createSshKeyring, SshCredentials } from '../../../shared/ssh/credentials.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';
const settings: Record<string, string> = { OPS_KEY: key, ONE_LINE: Buffer.from(key).toString('base64'), EMPTY: '' };
const keyringFor = (hosts: string[], keySetting = 'OPS_KEY') =>
  createSshKeyring(SshCredentials.parse({ ops: { user: 'landfall', keySetting, hosts } }), (name) => settings[name]);

it('a credential is for the hosts that it names, and for no other', () => {
  const allows = (hosts: string[], host: string): boolean => {
    try {
      keyringFor(hosts).require('ops', host);
      return true;
    } catch (error) {
      expect((error as MigrationError).failure).toMatchObject({ code: 'invalidInput', kind: 'terminal' });
      return false;
    }
  };
  expect(allows(['*.corp.example'], 'db-01.corp.example')).toBe(true);
  expect(allows(['*.corp.example'], 'DB-01.Corp.Example')).toBe(true);
  expect(allows(['*.corp.example'], 'corp.example')).toBe(false);
  expect(allows(['*.corp.example'], 'db-01.corp.example.evil.test')).toBe(false);
  expect(allows(['*.corp.example'], 'evilcorp.example')).toBe(false);
  expect(allows(['db-01.corp.example'], 'db-02.corp.example')).toBe(false);
  expect(allows(['10.20.0.0/16'], '10.20.7.9')).toBe(true);
  expect(allows(['10.20.0.0/16'], '10.21.7.9')).toBe(false);
  expect(allows(['10.20.0.0/16'], '10.20.7.9.corp.example')).toBe(false);
  expect(allows(['fd12::/32'], '[fd12::5]')).toBe(true);
  expect(allows(['10.0.0.5'], '10.0.0.5')).toBe(true);
});

it('a key may stand on one line in Base64; a setting that is missing or empty is named', () => {
  expect(keyringFor(['a']).of('ops', 'a')).toEqual({ user: 'landfall', privateKey: key });
  expect(keyringFor(['a'], 'ONE_LINE').of('ops', 'a')).toEqual({ user: 'landfall', privateKey: key });
  for (const missing of ['NO_SUCH_SETTING', 'EMPTY'])
    expect(() => keyringFor(['a'], missing).of('ops', 'a')).toThrow(
      new RegExp(`takes its secret from the setting ${missing}, which is not there`),
    );
  expect(() => keyringFor(['a']).of('other', 'a')).toThrow(/has no credential "other"/);
});

it('the setting says what is wrong with it', () => {
  const problem = (credential: object) => SshCredentials.safeParse({ ops: credential }).error?.message ?? '';
  expect(problem({ user: 'landfall', hosts: ['a'] })).toContain('needs either keySetting or passwordSetting');
  expect(problem({ user: '-oProxyCommand=x', keySetting: 'OPS_KEY', hosts: ['a'] })).toContain('user');
  expect(problem({ user: 'landfall', keySetting: 'OPS_KEY', hosts: ['10.0.0.0/99'] })).toContain('is no network');
  expect(problem({ user: 'landfall', keySetting: key, hosts: ['a'] })).toContain('is the name of a setting');
});
