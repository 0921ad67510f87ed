// Every policy of the examples can be planned with the first wave's inventory, and between them they say everything that a
// policy can say.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDefinitions } from '../../../examples/harness/definitions.ts';
import { hashOf } from '../../../shared/hash.ts';
import { Environment, Profile } from '../../../shared/model/environment.ts';
import { OnFailure } from '../../../shared/model/failurePolicy.ts';
import { Source } from '../../../shared/model/source.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';

const examples = join(import.meta.dirname, '../../../examples');
const files = readdirSync(join(examples, 'policies')).filter((name) => name.endsWith('.yaml'));
const values = {
  node: 'node',
  'lab.endpoint': 'http://127.0.0.1:1',
  'lab.dir': '/lab',
  'lab.tools': '/tools',
  'port.db-01': 1,
  'port.web-01': 2,
  'port.jobs-01': 3,
  'window.start': '2030-06-01T22:00:00',
};
const read = (file: string) => readDefinitions(join(examples, 'policies', file), join(examples, 'first-wave'), values);
const waveIn = (file: string): WaveDefinition => WaveDefinition.parse(parse(read(file).wave.yaml));

describe.each(files)('%s', (file) => {
  test('is named like its wave and can be planned', () => {
    const { environment, profile, sources } = read(file);
    const definition = waveIn(file);
    expect(`${definition.id}.yaml`).toBe(file);
    const planned = resolvePlan(
      {
        definition,
        environment: Environment.parse(parse(environment.yaml)),
        profile: Profile.parse(parse(profile.yaml)),
        sources: sources.map(({ yaml }) => Source.parse(parse(yaml))),
        calendars: [],
        now: '2030-06-01T12:00:00.000Z',
      },
      hashOf,
    );
    expect(planned).not.toHaveProperty('problems');
  });
});

test('every course after validation, and every answer to a failure, has an example', () => {
  const waves = files.map(waveIn);
  const said = (pick: (wave: WaveDefinition) => string) => [...new Set(waves.map(pick))].sort();
  for (const outcome of ['onPassed', 'onFailed', 'onSilent'] as const)
    expect(said(({ commitPolicy }) => commitPolicy[outcome])).toEqual(['commit', 'rollback', 'wait']);
  expect(said(({ commitPolicy }) => commitPolicy.onTimeout)).toEqual(['commit', 'hold', 'rollback']);
  expect(said(({ onFailure }) => onFailure)).toEqual([...OnFailure.options].sort());
  expect(waves.some(({ failureBudget }) => failureBudget !== undefined)).toBe(true);
});
