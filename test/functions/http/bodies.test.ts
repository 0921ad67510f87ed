// What may be sent, and how exactly the rest is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { scanJson } from '../../../functions/http/scanJson.ts';
import { environment, profile, sources, wavePosted } from '../../fakes/definitions.ts';
import { startApi } from './api.ts';

const { api } = await startApi();

async function apiWithInventory() {
  const one = api();
  await one.reach.store.environments.put(environment);
  await one.reach.store.profiles.put(profile);
  for (const source of sources) await one.reach.store.sources.put(source);
  return {
    ...one,
    post: (text: string, type?: string) =>
      one.ask('POST', '/api/waves?dryRun=true', { as: 'ada', text, ...(type && { type }) }),
  };
}

describe('a definition', () => {
  it('is the same plan as JSON and as YAML', async () => {
    const { post } = await apiWithInventory();
    const asJson = await post(JSON.stringify(wavePosted()));
    const asYaml = await post(stringify(wavePosted()), 'application/yaml; charset=utf-8');
    expect(asJson.status).toBe(200);
    expect(asYaml.body).toEqual(asJson.body);
  });

  it('that is malformed is answered field by field, with what was found and what would do', async () => {
    const { post } = await apiWithInventory();
    const wave = wavePosted() as Record<string, unknown> & ReturnType<typeof wavePosted>;
    const { name: _name, ...broken } = wave;
    Object.assign(broken, {
      enviroment: 'west',
      groups: [{ id: 'Not An Id', workloads: [{ ...wave.groups[0]!.workloads[0], method: 'magic', dependson: [] }] }],
    });
    const { status, headers, body } = await post(JSON.stringify(broken));
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    const byPath = new Map(body.errors.map((error: { path: string }) => [error.path, error]));
    expect(byPath.get('name')).toMatchObject({ message: 'is missing', fix: 'give a string' });
    expect(byPath.get('enviroment')).toMatchObject({ value: 'west', fix: 'did you mean "environment"?' });
    expect(byPath.get('groups[0].id')).toMatchObject({
      value: 'Not An Id',
      fix: expect.stringContaining('lower-case'),
    });
    expect(byPath.get('groups[0].workloads[0].method')).toMatchObject({
      value: 'magic',
      fix: 'use "agent" or "agentless"',
    });
    expect(byPath.get('groups[0].workloads[0].dependson')).toMatchObject({ fix: 'did you mean "dependsOn"?' });
  });

  it('is told what a name means that is known, but not where it stands', async () => {
    const { post } = await apiWithInventory();
    const wave = wavePosted();
    const groups = wave.groups.map(({ workloads, ...group }) => ({ ...group, workload: workloads, gates: {} }));
    const { status, body } = await post(JSON.stringify({ ...wave, groups }));
    expect(status).toBe(400);
    expect(body.errors).toContainEqual(
      expect.objectContaining({ path: 'groups[0].workload', fix: 'did you mean "workloads"?' }),
    );
    // What it resembles from afar has nothing to do with it.
    expect(body.errors).toContainEqual(expect.objectContaining({ path: 'groups[0].gates', fix: 'remove it' }));
  });

  it('may not point checks or hosts at instance metadata, however it is written', async () => {
    const { post } = await apiWithInventory();
    for (const url of [
      'http://169.254.169.254/metadata',
      'http://0xa9fea9fe/',
      'http://2852039166/',
      'http://[::ffff:169.254.169.254]/',
    ]) {
      const wave = { ...wavePosted(), settings: { validation: { checks: [{ kind: 'http', name: 'c', url }] } } };
      const { status, body } = await post(JSON.stringify(wave));
      expect(status).toBe(400);
      expect(body.errors).toMatchObject([{ path: 'settings.validation.checks[0].url', value: url }]);
    }
  });
});

describe('a body', () => {
  it('of more than 1 MiB, a wave of more than 16 MiB, is not read, whatever its length claims', async () => {
    const { ask, post } = await apiWithInventory();
    const long = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    const put = (path: string, text: string) => ask('PUT', path, { as: 'ada', text });
    expect((await put('/api/profiles/p', long(2 ** 20))).status).toBe(400);
    expect((await put('/api/profiles/p', long(2 ** 20 + 1))).status).toBe(413);
    expect((await post(long(2 ** 24))).status).toBe(400);
    for (const { status, body } of [await post(long(2 ** 24 + 1)), await put('/api/waves/w1', long(2 ** 24 + 1))])
      expect([status, body.detail]).toEqual([413, 'At most 16777216 bytes are read.']);
    const claimed = await ask('POST', '/api/waves', {
      as: 'ada',
      text: '{}',
      headers: { 'content-length': '99999999' },
    });
    expect(claimed.status).toBe(413);
    expect((await post(`# ${'x'.repeat(256 * 1024)}`, 'application/yaml')).status).toBe(413);
  });

  it('that is nested too deeply is refused as JSON and as YAML, flow or block', async () => {
    const { post } = await apiWithInventory();
    const flow = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    for (const [text, type] of [
      [flow(41), 'application/json'],
      [flow(200_000), 'application/json'],
      [flow(41), 'application/yaml'],
      [flow(20_000), 'application/yaml'],
      ['- '.repeat(20_000), 'application/yaml'],
    ] as const)
      expect((await post(text, type)).body.detail).toBe('The body is nested deeper than 40 levels.');
    expect((await post(flow(40))).body.detail).not.toContain('nested');
  });

  it('with a name twice in one object is refused, hidden by an escape or not', async () => {
    const { post } = await apiWithInventory();
    for (const text of ['{"id": "a", "id": "b"}', '{"id": "a", "\\u0069d": "b"}', '{"a": [{"id": {}, "id": 1}]}'])
      expect((await post(text)).body.detail).toContain('"id" comes twice');
    expect((await post('id: a\nid: b\n', 'text/yaml')).body.detail).toContain('comes twice');
  });

  it('that unfolds aliases without end is refused', async () => {
    const { post } = await apiWithInventory();
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(', ')}]`),
    ].join('\n');
    const { status, body } = await post(bomb, 'application/yaml');
    expect(status).toBe(400);
    expect(body.detail).toContain('alias');
    expect((await post('&a [*a]', 'application/yaml')).status).toBe(400);
  });

  it.each([
    ['{"id": ', 'application/json', 400],
    ['id: [', 'application/yaml', 400],
    ['<wave/>', 'application/xml', 415],
    ['"text"', 'application/json', 400],
    ['null', 'application/json', 400],
  ])('%s as %s is answered with %i', async (text, type, status) => {
    const { post } = await apiWithInventory();
    const answer = await post(text, type);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });
});

it('the scan before parsing never objects to what JSON.stringify prints', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      expect(scanJson(JSON.stringify(value), 40)).toBeUndefined();
    }),
  );
});

it('the scan before parsing is not upset by text that is no JSON', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', 'a') }),
      (text) => void scanJson(text, 40),
    ),
  );
});
