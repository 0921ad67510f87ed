import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { nodeFlags } from '../../../appliance/nodeFlags.ts';
import { servers } from '../../../examples/first-wave/servers.ts';
import { recordsOf } from '../../../examples/first-wave/summary.ts';
import { type Definitions, fillYaml, readDefinitions, wallClock } from '../../../examples/harness/definitions.ts';
import { repository } from '../../../examples/harness/processes.ts';
import { steps } from '../../../examples/harness/steps.ts';
import { allSteps } from '../../../orchestrators/itinerary.ts';
import { hashOf } from '../../../shared/hash.ts';
import { Environment, Profile } from '../../../shared/model/environment.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import { Source } from '../../../shared/model/source.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { preflight } from '../../../shared/policy/preflight.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';

const example = join(repository, 'examples', 'first-wave');
const now = new Date('2026-03-29T02:30:00Z');
const values = {
  node: '/usr/bin/node',
  'lab.endpoint': 'http://127.0.0.1:4711',
  'lab.dir': '/srv/a lab: "with" #odd signs',
  'lab.tools': '/srv/tools',
  'port.db-01': 5001,
  'port.web-01': 5002,
  'port.jobs-01': 5003,
  'window.start': wallClock(new Date(now.getTime() - 60_000), 'Europe/Amsterdam'),
};

function planOf({ environment, profile, sources, wave }: Definitions): WavePlan {
  const resolved = resolvePlan(
    {
      definition: WaveDefinition.parse(parse(wave.yaml)),
      environment: Environment.parse(parse(environment.yaml)),
      profile: Profile.parse(parse(profile.yaml)),
      sources: sources.map(({ yaml }) => Source.parse(parse(yaml))),
      now: now.toISOString(),
    },
    hashOf,
  );
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems, null, 2));
  return resolved.plan;
}

describe('the definitions of the first wave', () => {
  const definitions = readDefinitions(join(example, 'wave.yaml'), example, values);
  const plan = planOf(definitions);

  it('make a plan without objections, with a window that is open', () => {
    expect(plan.workloads.map(({ workloadId, method }) => [workloadId, method])).toEqual([
      ['db01', 'agent'],
      ['jobs01', 'agentless'],
      ['web01', 'agent'],
    ]);
    expect(plan.windows[0]?.opens).toBe('2026-03-29T02:29:00.000Z');
    expect(plan.workloads.flatMap(({ source }) => preflight(source))).toEqual([]);
  });

  it('describe the disks that the driver makes', () => {
    const planned = plan.workloads.map(({ source }) => [source.id, source.disks.map((disk) => disk.sizeBytes)]);
    const made = servers.map(({ id, diskMiB }) => [id, [diskMiB * 2 ** 20]]);
    expect(planned.sort()).toEqual(made.sort());
    expect(plan.workloads.map(({ source }) => source.services.map(({ name }) => name)).sort()).toEqual(
      servers.map(({ service }) => [service]).sort(),
    );
  });

  it('name only what the local Azure has', () => {
    const resources = readFileSync(join(repository, 'infra', 'local.resources.json'), 'utf8');
    const named = JSON.stringify(plan).match(/\/subscriptions\/[^"]+/g) ?? [];
    const missing = [...new Set(named)].filter((id) => {
      const [network, subnet] = id.split('/subnets/');
      return (
        !resources.includes(`"${network}"`) || (subnet !== undefined && !resources.includes(`"name": "${subnet}"`))
      );
    });
    expect(named.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
    for (const { zone, record } of recordsOf(plan)) expect(resources).toContain(`/dnsZones/${zone}/A/${record}"`);
  });

  it('start appliances with the flags that are theirs', () => {
    const resources = readFileSync(join(repository, 'infra', 'local.resources.json'), 'utf8');
    expect(resources).toContain(['{node}', ...nodeFlags].map((word) => JSON.stringify(word)).join(', '));
  });

  it('keep their comments when placeholders are replaced, and take any value as a value', () => {
    expect(definitions.wave.yaml).toContain('# A group cuts over as one');
    expect(definitions.sources.map(({ id }) => id)).toEqual(['db-01', 'web-01', 'jobs-01']);
    expect(parse(definitions.sources[0]!.yaml).disks[0].path).toBe(`${values['lab.dir']}/disks/db-01.img`);
    expect(parse(definitions.wave.yaml).groups[0].workloads[0].settings.uat.checks[2].port).toBe(5001);
  });

  it('are refused with the known placeholders when they use another one', () => {
    const { 'lab.tools': _left, ...fewer } = values;
    expect(() => fillYaml(join(example, 'sources.yaml'), fewer)).toThrow(/\$\{lab\.tools\}; known are node, lab\.end/);
  });
});

describe('the steps as the example names them', () => {
  it('are the steps of the itinerary, in its order', () => {
    expect(steps.map(({ number, name }) => ({ number, name }))).toEqual(
      allSteps.map(({ number, name }) => ({ number, name })),
    );
  });
});
