import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkloadPlan } from '../../../shared/model/plan.ts';
import type { ProbeResult } from '../../../shared/model/probe.ts';
import { judgeProbes, nameProbes, reachProbes, recordProbes } from '../../../shared/policy/probes.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import { environment, profile, source, waveDefinition } from '../../fakes/definitions.ts';

const zoneId =
  '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/dns/providers/Microsoft.Network/dnsZones/corp.example';
const dns = (record: string, type: 'A' | 'CNAME' = 'A') => ({
  kind: 'dns' as const,
  ...{ name: record, zoneId, record, type, value: '{target.ip}', ttlSeconds: 60 },
});

function planOf(change: (settings: WorkloadPlan['settings']) => void, nics = ['10.0.0.4']): WorkloadPlan {
  const definition = waveDefinition();
  const sources = ['db-01', 'app-01', 'web-01'].map((id) =>
    source(id, { nics: nics.map((address, index) => ({ id: `eth${index}`, address })) }),
  );
  const now = '2026-12-01T00:00:00.000Z';
  const planned = resolvePlan({ definition, environment, profile, sources, now }, () => 'hash');
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  const [plan] = planned.plan.workloads;
  if (plan === undefined) throw new Error('no workload');
  change(plan.settings);
  return plan;
}

describe('what is probed of a workload', () => {
  it('its production names forwards and backwards, each once, and the records that the cutover will move', () => {
    const plan = planOf(
      (settings) => {
        settings.uat.names = ['ledger.corp.example', 'db-01.cellar.example', '192.0.2.1'];
        settings.cutover.actions = [dns('db'), dns('@'), dns('www', 'CNAME'), dns('db')];
      },
      ['10.0.0.4', 'db.storage.example', '10.0.0.4'],
    );
    expect(nameProbes(plan).map(({ name }) => name)).toEqual([
      'name db-01.cellar.example',
      'name ledger.corp.example',
      'name db.corp.example',
      'name corp.example',
      'name www.corp.example',
      'reverse 10.0.0.4',
    ]);
    expect(recordProbes(plan).map(({ name }) => name)).toEqual([
      'record db.corp.example A',
      'record corp.example A',
      'record www.corp.example CNAME',
    ]);
  });

  it('its clone’s ports from the appliance, unless the appliance is where somebody may test', () => {
    const plan = planOf((settings) => {
      settings.uat.closedPorts = [22, 3389];
    });
    const around = { cloneAddress: '10.1.2.4', inside: ['10.1.2.0/24', '10.9.0.0/28'] };
    const ports = (applianceAddress?: string) =>
      reachProbes(plan, { ...around, applianceAddress }).map((probe) => probe.kind === 'reach' && probe.port);
    expect(ports('10.9.0.16')).toEqual([22, 3389]);
    expect(ports(undefined)).toEqual([22, 3389]);
    expect(ports('10.9.0.15')).toEqual([]);
    expect(ports('10.1.2.200')).toEqual([]);
  });
});

const seen = (seen: ProbeResult['seen'], answers: string[] = [], name = 'probe'): ProbeResult => ({
  ...{ name, seen, answers, detail: 'as seen' },
});
const judge = (
  result: ProbeResult,
  before: ProbeResult[] = [],
  policy: 'required' | 'whereSupported' = 'whereSupported',
) => judgeProbes({ before, seen: [result], policy, leaveOut: [] });

describe('what a probe proves', () => {
  it.each([
    ['open', 'broken'],
    ['refused', 'broken'],
    ['silent', 'held'],
    ['unreachable', 'held'],
    ['notRun', 'notRun'],
  ] as const)('a connection that is %s: %s', (state, verdict) => {
    expect(judge(seen(state)).verdicts).toEqual([{ name: 'probe', verdict, detail: 'as seen' }]);
    expect(judge(seen(state)).reasons).toEqual(verdict === 'broken' ? ['probe: as seen'] : []);
  });

  it('a name holds that leads to the same in whatever order, also to nothing; any other breaks the proof', () => {
    expect(judge(seen('answers', ['b', 'a']), [seen('answers', ['a', 'b'])]).verdicts[0]?.verdict).toBe('held');
    expect(judge(seen('answers'), [seen('answers')]).verdicts[0]?.verdict).toBe('held');
    expect(judge(seen('answers', ['a']), [seen('answers')]).reasons).toEqual([
      'probe: it led to nothing before the clones booted, and leads to a now',
    ]);
    expect(judge(seen('answers', ['a']), [seen('answers', ['a', 'b'])]).verdicts[0]?.verdict).toBe('broken');
  });

  it('a name proves nothing where nobody knows what it led to', () => {
    for (const before of [[], [seen('notRun')], [seen('answers', ['a'], 'another')]])
      expect(judge(seen('answers', ['a']), before).verdicts[0]?.verdict).toBe('notRun');
  });

  it('what could not be run stands against the proof only where it is required, and what is left out never does', () => {
    const states = fc.constantFrom<ProbeResult['seen']>('open', 'refused', 'silent', 'unreachable', 'notRun');
    fc.assert(
      fc.property(states, fc.boolean(), fc.boolean(), (state, isRequired, isLeftOut) => {
        const policy = isRequired ? 'required' : 'whereSupported';
        const leaveOut = isLeftOut ? ['probe'] : [];
        const { reasons, verdicts } = judgeProbes({ before: [], seen: [seen(state)], policy, leaveOut });
        const stands = ['open', 'refused'].includes(state) || (state === 'notRun' && isRequired);
        expect(reasons.length > 0).toBe(stands && !isLeftOut);
        expect(verdicts[0]?.verdict === 'leftOut').toBe(isLeftOut);
      }),
    );
  });
});
