// What people may write as actions, and what they are told where they may not.
import { expect, it } from 'vitest';
import { problemsOf } from '../../../functions/http/problem.ts';
import { Settings } from '../../../shared/model/settings.ts';

const group = '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing';
const tags = (name: string, tags: Record<string, string> = { role: 'db' }) => ({ kind: 'tags', name, tags });

/** What stands against actions, as the API tells it: `path: message`. */
function against(...actions: unknown[]): string[] {
  const settings = { cutover: { actions } };
  const { error } = Settings.safeParse(settings);
  return error === undefined
    ? []
    : problemsOf(error, settings, new Set()).map(({ path, message }) => `${path}: ${message}`);
}

it('actions of different names are taken in their order', () => {
  const networkSecurityGroupId = `${group}/providers/Microsoft.Network/networkSecurityGroups/open`;
  expect(against(tags('b'), { kind: 'networkSecurityGroup', name: 'a', networkSecurityGroupId })).toEqual([]);
});

it('two actions of one workload may not share a name: people, retries and the journal know them by it', () => {
  expect(against(tags('same'), tags('same'))).toEqual([
    'cutover.actions[1].name: another action of this workload is called "same" as well: give each a name of its own',
  ]);
});

it('a tag of Landfall’s own is refused, and one that Azure would not take', () => {
  expect(against(tags('t', { 'landfall:owner': 'me' }))).toEqual([
    'cutover.actions[0].tags.landfall:owner: tags that begin with "landfall:" are Landfall’s own: choose another name',
  ]);
  expect(against(tags('t', { 'a/b': 'c' }))[0]).toContain('Azure takes no < > % & \\ ? / in the name of a tag');
});

const zoneId = `${group}/providers/Microsoft.Network/dnsZones/corp.example`;
const dns = (type: string, value: unknown) => ({ kind: 'dns', name: 'traffic', zoneId, record: 'db', type, value });

it.each([
  ['A', '{target.ip}'],
  ['A', ['{target.ip}', '192.0.2.7']],
  ['AAAA', ['2001:db8::1', '2001:db8::2']],
  ['CNAME', 'db.cellar.example'],
])('a record of type %s takes %j', (type, value) => {
  expect(against(dns(type, value))).toEqual([]);
});

it.each([
  ['A', 'db.corp.example', '"db.corp.example" is no IPv4 address: give one, or {target.ip}'],
  ['A', ['192.0.2.7', '192.0.2.7'], 'the same value stands twice: leave one of them out'],
  ['AAAA', '{target.ip}', '"{target.ip}" is an IPv4 address, which no AAAA record holds: use a record of type A'],
  ['AAAA', '192.0.2.7', '"192.0.2.7" is no IPv6 address: give one'],
  ['CNAME', ['a.example', 'b.example'], 'a CNAME record has one value: use an A record for several'],
  ['CNAME', '{target.ip}', '"{target.ip}" is an IPv4 address, which no CNAME record holds: use a record of type A'],
  ['CNAME', 'no host', '"no host" is no host name: give one, such as web.example.com'],
])('a record of type %s with %j is refused, with what would do', (type, value, message) => {
  expect(against(dns(type, value))).toEqual([`cutover.actions[0].value: ${message}`]);
});

it('a record stands in a zone, public or private', () => {
  const inPrivate = { ...dns('A', '{target.ip}'), zoneId: zoneId.replace('dnsZones', 'privateDnsZones') };
  expect(against(inPrivate)).toEqual([]);
  expect(
    against({ ...inPrivate, zoneId: `${group}/providers/Microsoft.Network/networkSecurityGroups/x` })[0],
  ).toContain('cutover.actions[0].zoneId: use the id of a DNS zone');
});

const webhook = (more: object) => ({ kind: 'webhook', name: 'desk', url: 'https://desk.example.com/x', ...more });

it.each([
  [{ url: 'http://desk.example.com' }, 'cutover.actions[0].url: webhooks go over https only'],
  [
    { url: 'https://me:pass@desk.example.com' },
    'cutover.actions[0].url: no user and password in a URL: name a `secret` of the settings',
  ],
  [
    { url: 'https://169.254.169.254/' },
    'cutover.actions[0].url: this address serves instance metadata and is never contacted',
  ],
  [{ url: 'https://desk.example.com/#x' }, 'cutover.actions[0].url: leave out what follows the #: it is never sent'],
  [
    { body: { long: 'x'.repeat(9000) } },
    'cutover.actions[0].body: a body has at most 8192 characters: say the rest where it is asked for',
  ],
  [{ undo: { url: 'http://desk.example.com' } }, 'cutover.actions[0].undo.url: webhooks go over https only'],
])('a webhook with %j is refused, with what would do', (more, message) => {
  expect(against(webhook(more))).toEqual([message]);
});

it('a webhook takes a body of its own, a secret by name, and what is told on the way back', () => {
  expect(against(webhook({ secret: 'desk', body: { a: [1, { b: null }] }, undo: { body: { c: true } } }))).toEqual([]);
});

it('a target is put under a data collection rule, and under nothing else', () => {
  const watch = (dataCollectionRuleId: string) => ({ kind: 'monitoring', name: 'watch', dataCollectionRuleId });
  expect(against(watch(`${group}/providers/Microsoft.Insights/dataCollectionRules/servers`))).toEqual([]);
  expect(against(watch(`${group}/providers/Microsoft.Insights/components/servers`))[0]).toContain(
    'use the id of a data collection rule',
  );
});

const script = (more: object) => ({ kind: 'script', name: 'register', run: ['systemctl start engine'], ...more });

it.each([
  [{ run: [] }, 'cutover.actions[0].run: '],
  [{ within: 'PT9M' }, 'cutover.actions[0].within: give it between a second and eight minutes'],
  [{ run: ['true', 'PASSWORD=hunter2 mysql'] }, 'cutover.actions[0].run[1]: this looks like a password, and everybody'],
  [{ undo: ['curl "https://a.example?sig=abc"'] }, 'cutover.actions[0].undo[0]: this looks like a shared access'],
])('a script with %j is refused, with what would do', (more, message) => {
  expect(against(script(more))).toEqual([expect.stringContaining(message)]);
});

it('a script takes lines, what takes them back, and how long it may take', () => {
  expect(against(script({ run: ['engine --register'], undo: ['engine --remove'], within: 'PT8M' }))).toEqual([]);
});

it('an action of a kind that is not known is refused with its path', () => {
  expect(against({ kind: 'tag', name: 'a' })[0]).toContain('cutover.actions[0]');
});
