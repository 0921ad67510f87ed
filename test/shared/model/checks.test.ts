import { expect, it } from 'vitest';
import { Check } from '../../../shared/model/settings.ts';

const fits = (path: string) => Check.safeParse({ kind: 'file', name: 'a file', path }).success;

it.each(['/etc/hostname', '/var/lib/pgsql/14/data/PG_VERSION', '/srv/a-b_c@d+e:f.g'])(
  'a file check takes the path %s',
  (path) => expect(fits(path)).toBe(true),
);

it.each([
  'etc/hostname',
  '/etc/x; id',
  '/etc/$(id)',
  '/etc/`id`',
  '/etc/x|sh',
  '/etc/x&&id',
  '/etc/x>y',
  '/a\nid',
  '/a\n',
  "/a'b",
  '/a b',
  '/*',
])('a file check takes no path that a shell would read as more than a path: %j', (path) => {
  expect(fits(path)).toBe(false);
});
