import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { bytes, clock, duration } from '../../../examples/first-wave/view/format.ts';
import { frame } from '../../../examples/first-wave/view/frame.ts';
import { jsonView } from '../../../examples/first-wave/view/json.ts';
import { plainView } from '../../../examples/first-wave/view/plain.ts';
import type { WaveView, WorkloadView } from '../../../examples/harness/api.ts';
import type { Snapshot } from '../../../examples/harness/watch.ts';

const at = '2026-12-05T21:00:00.000Z';
const began = Date.parse(at);
type Step = WorkloadView['steps'][string];
const step = (status: Step['status']): Step => ({
  status,
  attempt: 1,
  startedAt: at,
  endedAt: status === 'running' ? undefined : '2026-12-05T21:00:02.000Z',
  failure: undefined,
});

function workload(id: string, method: 'agent' | 'agentless', change: Partial<WorkloadView> = {}): WorkloadView {
  return {
    workloadId: id,
    method,
    phase: 'registered',
    steps: {},
    sync: { status: 'idle', attempt: 0 },
    totals: { initialBytes: 0, deltaBytes: 0, finalBytes: 0, deltas: 0 },
    lagSeconds: 0,
    ...change,
  } as WorkloadView;
}

function snapshot(workloads: WorkloadView[], change: Partial<WaveView> = {}, gates: unknown[] = []): Snapshot {
  const wave = {
    name: 'The wave',
    status: 'running',
    steps: { targetIam: step('completed'), migrationAppliance: step('completed'), sourceWorker: step('completed') },
    groups: [{ id: 'application', dependsOn: ['database'], tiers: [], status: 'preparing', workloads }],
    gates: [],
    attentions: [],
    ...change,
  };
  return { at: began, wave, gates } as unknown as Snapshot;
}

const picture = (seen: Snapshot | undefined, now = began): string =>
  frame(seen, { now, began, turn: 0, people: new Map([['oid-2', 'grace']]), colors: pc.createColors(false) }).join(
    '\n',
  );

describe('the live view', () => {
  it('shows twelve steps per workload, those done, the running one by name, and those that it does not need', () => {
    const agentless = workload('jobs01', 'agentless', {
      phase: 'preparing',
      steps: { sourceOnboarding: step('completed'), initialSync: step('running') },
      sync: {
        status: 'running',
        kind: 'initial',
        attempt: 1,
        progress: { doneBytes: 52e6, totalBytes: 104e6, writtenBytes: 40e6, bytesPerSecond: 31e6 },
      },
    });
    const agent = workload('web01', 'agent', { phase: 'preparing', steps: { osAgent: step('failed') } });
    const shown = picture(snapshot([agentless, agent]));
    expect(shown).toContain('jobs01   ●●● ·●⠋○ ○ ○○ ○○  initial sync             ▰▰▰▰▱▱▱▱ 52 MB 31 MB/s');
    expect(shown).toContain('web01    ●●· ✖○○○ ○ ○○ ○○  OS agent');
  });

  it('counts deltas while people test, and the outage until somebody serves again', () => {
    const point = { syncId: 's', kind: 'delta' as const, completedAt: at, root: '' };
    const totals = { initialBytes: 30e6, deltaBytes: 25e6, finalBytes: 0, deltas: 2 };
    const replicated = { lastPoint: point, totals, lagSeconds: 3 };
    const down = { ...replicated, phase: 'finalSync', downtime: { began: at } } as const;
    const back = {
      ...replicated,
      phase: 'validating',
      downtime: { began: at, ended: '2026-12-05T21:00:09Z' },
    } as const;
    expect(picture(snapshot([workload('w', 'agent', { ...replicated, phase: 'testing' })]))).toMatch(
      /Δ 2 {2}25 MB {2}lag 3 s/,
    );
    expect(picture(snapshot([workload('w', 'agent', down)]), began + 4200)).toContain('down 4.2 s');
    expect(picture(snapshot([workload('w', 'agent', back)]), began + 60_000)).toContain('was down for 9.0 s');
  });

  it('shows what a group waits for and who approved', () => {
    const gate = (name: string, status: string, decisions: object[]) => ({
      name,
      status,
      decisions,
      groupId: 'application',
    });
    const approved = gate('uat', 'approved', [{ by: 'oid-2', decision: 'approve' }]);
    expect(picture(snapshot([], {}, [approved]))).toContain('uat ✔ grace  after database');
    expect(picture(snapshot([], {}, [approved, gate('cutover', 'open', [])]))).toMatch(
      /uat ✔ grace {2}cutover ⠋ waits for approval$/m,
    );
  });

  it('fits into 80 columns at every moment of an ordinary wave', () => {
    const shown = picture(
      snapshot([
        workload('jobs01', 'agentless', {
          phase: 'finalSync',
          steps: { finalDelta: step('running') },
          sync: {
            status: 'running',
            kind: 'final',
            attempt: 1,
            progress: { doneBytes: 999e6, totalBytes: 999e6, writtenBytes: 999e6, bytesPerSecond: 999e6 },
          },
        }),
      ]),
    );
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(picture(undefined)).toContain('getting ready');
  });

  it('says what went wrong and what to do about it', () => {
    const failure = {
      code: 'checkFailed',
      kind: 'terminal',
      message: 'It does not boot.',
      suggestion: 'Look, then retry.',
    };
    const attentions = [{ id: 'a', step: 'uat', workloadIds: ['w'], failure, choices: ['retry'] }];
    expect(picture(snapshot([], { attentions } as unknown as Partial<WaveView>))).toMatch(
      /✖ uat: It does not boot\.\n +Look, then retry\./,
    );
  });
});

describe('the plain and the JSON view', () => {
  const first = snapshot([workload('web01', 'agent')], { steps: {} });
  const second = snapshot([workload('web01', 'agent', { phase: 'preparing', steps: { osAgent: step('completed') } })], {
    steps: { targetIam: step('running') },
  });

  it('write each change once', () => {
    const lines: string[] = [];
    const view = plainView((line) => lines.push(line.slice(8)));
    for (const seen of [first, first, second, second]) view.show(seen);
    expect(lines).toEqual([
      'wave: running',
      'group application: preparing',
      'environment: step 1, target IAM: running',
      'web01: step 4, OS agent: completed after 2.0 s',
    ]);
  });

  it('write one JSON object per line', () => {
    const lines: string[] = [];
    const view = jsonView((line) => lines.push(line));
    view.show(first);
    view.show(second);
    expect(lines.map((line) => JSON.parse(line) as object).at(-2)).toMatchObject({
      type: 'step',
      whose: 'web01',
      number: 4,
      status: 'completed',
      seconds: 2,
    });
  });
});

describe('numbers', () => {
  it('are short and have units', () => {
    expect([0, 999, 1000, 9950, 12_582_912, 999_600_000, 3.5e12].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '9.9 kB',
      '13 MB',
      '1.0 GB',
      '3.5 TB',
    ]);
    expect([0, 7349, 41_600, 125_000].map(duration)).toEqual(['0.0 s', '7.3 s', '42 s', '2 min 05 s']);
    expect([7999, 754_000].map(clock)).toEqual(['0:07', '12:34']);
  });
});
