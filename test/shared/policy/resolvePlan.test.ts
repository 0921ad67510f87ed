import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../shared/hash.ts';
import { WavePlan } from '../../../shared/model/plan.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { type PlanInput, resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import { environment, profile, sources, waveDefinition, wavePosted } from '../../fakes/definitions.ts';

const now = '2026-12-01T00:00:00.000Z';
function resolve(change: (definition: WaveDefinition) => void, input: Partial<PlanInput> = {}) {
  const definition = waveDefinition();
  change(definition);
  return resolvePlan({ definition, environment, profile, sources, now, ...input }, hashOf);
}
function problems(change: (definition: WaveDefinition) => void, input: Partial<PlanInput> = {}) {
  const resolved = resolve(change, input);
  return 'problems' in resolved ? resolved.problems : [];
}
const paths = (...of: Parameters<typeof problems>) => problems(...of).map(({ path }) => path);
const planned = (...of: Parameters<typeof resolve>) => {
  const resolved = resolve(...of);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  return resolved.plan;
};

describe('a plan', () => {
  it('says for each workload who reads it, in which order, with which settings', () => {
    const plan = planned(() => {});
    expect(WavePlan.parse(plan)).toEqual(plan);
    expect(plan.windows[0]?.opens).toBe('2026-12-05T21:00:00.000Z');
    expect(plan.groups.map(({ tiers }) => tiers)).toEqual([[['db']], [['app'], ['web']]]);
    expect(plan.workloads.map(({ applianceId }) => applianceId)).toEqual([
      'agent-db-01',
      'worker-cellar',
      'agent-web-01',
    ]);
    expect(plan.workloads[0]?.settings.sync.cadence).toBe('PT15M');
  });

  it('takes each setting from the level nearest to the workload', () => {
    fc.assert(
      fc.property(
        fc.subarray(['environment', 'profile', 'wave', 'group', 'workload'] as const, { minLength: 1 }),
        (levels) => {
          const at = (level: string) => ({
            sync: { stallAfter: `PT${['environment', 'profile', 'wave', 'group', 'workload'].indexOf(level) + 1}M` },
          });
          const has = (level: (typeof levels)[number]) => levels.includes(level);
          const plan = planned(
            (definition) => {
              const group = definition.groups[0]!;
              if (has('wave')) definition.settings = at('wave');
              if (has('group')) group.settings = at('group');
              if (has('workload')) group.workloads[0]!.settings = at('workload');
            },
            {
              environment: has('environment')
                ? { ...environment, settings: { ...environment.settings, ...at('environment') } }
                : environment,
              profile: {
                ...profile,
                settings: {
                  ...profile.settings,
                  sync: {
                    ...profile.settings.sync,
                    stallAfter:
                      has('profile') || levels[0] !== 'environment' ? at('profile').sync.stallAfter : undefined,
                  },
                },
              } as typeof profile,
            },
          );
          const settings = plan.workloads[0]!.settings.sync;
          expect(settings.stallAfter).toBe(at(levels.at(-1)!).sync.stallAfter);
          expect(settings.cadence).toBe('PT15M');
        },
      ),
    );
  });

  it('says for each group what a failure means, the wave speaking where the group does not, and holding where none does', () => {
    const meanings = (...of: Parameters<typeof planned>) => planned(...of).groups.map(({ onFailure }) => onFailure);
    expect(meanings(() => {})).toEqual(['hold', 'hold']);
    expect(
      meanings((definition) => {
        definition.onFailure = 'rollBack';
        definition.groups[1]!.onFailure = 'goOn';
      }),
    ).toEqual(['rollBack', 'goOn']);
  });

  it('carries the budget for failures, in workloads or in percent, if there is one', () => {
    expect(planned(() => {})).not.toHaveProperty('failureBudget');
    for (const failureBudget of [{ workloads: 0 }, { percent: 12.5 }])
      expect(planned((definition) => Object.assign(definition, { failureBudget }))).toMatchObject({ failureBudget });
    for (const wrong of [{}, { workloads: 1, percent: 1 }, { percent: 101 }, { workloads: 1.5 }])
      expect(WaveDefinition.safeParse({ ...wavePosted(), failureBudget: wrong }).success).toBe(false);
  });

  it('has the same hash for the same input, and another one for any other', () => {
    const hash = planned(() => {}).hash;
    expect(planned(() => {}).hash).toBe(hash);
    const changed = planned((definition) => {
      definition.groups[1]!.workloads[1]!.target.name = 'web-02';
    });
    expect(changed.hash).not.toBe(hash);
    expect(changed.workloads[0]?.hash).toBe(planned(() => {}).workloads[0]?.hash);
  });
});

describe('what stands against a wave is told with its place:', () => {
  it('unknown environment, profile and source, with what was probably meant', () => {
    expect(paths(() => {}, { environment: undefined, profile: undefined })).toEqual(['environment', 'profile']);
    const [unknown] = problems((definition) => {
      definition.groups[1]!.workloads[1]!.source = 'web-1';
    });
    expect(unknown).toMatchObject({
      path: 'groups[1].workloads[1].source',
      value: 'web-1',
      fix: 'did you mean "web-01"?',
    });
  });

  it('ids, sources, targets and addresses that come twice', () => {
    const twice = (change: (definition: WaveDefinition) => void) => paths(change);
    expect(
      twice(({ groups }) => {
        groups[1]!.id = 'data';
        groups[1]!.dependsOn = [];
      }),
    ).toEqual(['groups[1].id']);
    expect(
      twice(({ groups }) => {
        groups[1]!.workloads[0]!.id = 'db';
        groups[1]!.workloads[1]!.dependsOn = [];
      }),
    ).toEqual(['groups[1].workloads[0].id']);
    expect(
      twice(({ groups }) => {
        groups[1]!.workloads[1]!.source = 'db-01';
      }),
    ).toEqual(['groups[1].workloads[1].source']);
    expect(
      twice(({ groups }) => {
        groups[1]!.workloads[1]!.target.name = 'db-01';
      }),
    ).toEqual(['groups[1].workloads[1].target.name']);
  });

  it('circles, spelt out, among groups and among workloads', () => {
    const groups = problems((definition) => {
      definition.groups[0]!.dependsOn = ['shop'];
    });
    expect(groups).toMatchObject([
      { path: 'groups[0].dependsOn', message: expect.stringContaining('data → shop → data') },
    ]);
    const workloads = problems((definition) => {
      definition.groups[1]!.workloads[0]!.dependsOn = ['web'];
    });
    expect(workloads).toMatchObject([
      { path: 'groups[1].workloads[0].dependsOn', message: expect.stringContaining('app → web → app') },
    ]);
  });

  it('dependencies on nobody, also of workloads on those of other groups', () => {
    expect(
      paths((definition) => {
        definition.groups[0]!.dependsOn = ['nobody'];
      }),
    ).toEqual(['groups[0].dependsOn[0]']);
    expect(
      paths((definition) => {
        definition.groups[1]!.workloads[0]!.dependsOn = ['db'];
      }),
    ).toEqual(['groups[1].workloads[0].dependsOn[0]']);
  });

  it('a window that is past, in no zone, or on no day', () => {
    expect(paths(() => {}, { now: '2026-12-06T01:00:00.000Z' })).toEqual(['window.start']);
    expect(paths(() => {}, { now: '2026-12-06T00:59:59.000Z' })).toEqual([]);
    expect(
      paths(({ window }) => {
        window.zone = 'Mars/Olympus';
      }),
    ).toEqual(['window.zone']);
    expect(
      paths(({ window }) => {
        window.start = '2026-02-30T10:00';
      }),
    ).toEqual(['window.start']);
  });

  it('settings that no level has set, once if all miss them', () => {
    const { sync, ...rest } = profile.settings;
    const { cadence: _cadence, ...other } = sync!;
    const without = { ...profile, settings: { ...rest, sync: other } };
    expect(paths(() => {}, { profile: without })).toEqual(['settings.sync.cadence']);
    const some = paths(
      (definition) => {
        definition.groups[0]!.settings = { sync: { cadence: 'PT1H' } };
      },
      { profile: without },
    );
    expect(some).toEqual([
      'groups[1].workloads[0].settings.sync.cadence',
      'groups[1].workloads[1].settings.sync.cadence',
    ]);
  });

  it('scripts where the environment allows none', () => {
    const script = { kind: 'script' as const, name: 'register', run: ['true'], within: 'PT2M' };
    const change = (definition: WaveDefinition) => {
      definition.groups[1]!.settings = { cutover: { actions: [script] } };
    };
    expect(problems(change)).toMatchObject(
      [0, 1].map((index) => ({
        path: `groups[1].workloads[${index}].settings.cutover.actions`,
        value: 'register',
        message: 'environment "west" lets no plan run scripts: they run as root on targets',
      })),
    );
    expect(paths(change, { environment: { ...environment, scripts: true } })).toEqual([]);
  });

  it('agentless workloads of a site that the environment does not have', () => {
    expect(paths(() => {}, { environment: { ...environment, sites: [] } })).toEqual(['groups[1].workloads[0].method']);
  });
});
