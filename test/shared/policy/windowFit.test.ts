import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import type { SyncRun, WorkloadState } from '../../../shared/lifecycle/state.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import type { Facts } from '../../../shared/policy/fit/downtime.ts';
import type { Part } from '../../../shared/policy/fit/left.ts';
import { type GroupFit, judge, judgeGroup, reasonOf, type Verdict } from '../../../shared/policy/windowFit.ts';
import { examplePlan } from '../../fakes/reach.ts';

const gibibyte = 2 ** 30;
const window = { opens: '2026-12-05T21:00:00.000Z', closes: '2026-12-06T01:00:00.000Z' };
const next = { opens: '2026-12-12T21:00:00.000Z', closes: '2026-12-13T05:00:00.000Z' };
const minute = 60_000;
const example = examplePlan().workloads[0]!;

type Member = Facts & { state: Pick<WorkloadState, 'phase'> };

interface Given {
  phase?: Phase;
  id?: string;
  diskBytes?: number;
  churn?: number;
  launched?: { importSeconds: number; bootSeconds: number };
  stopSeconds?: number;
  pointAt?: string;
}
/** A workload whose deltas come every quarter of an hour, are carried at 40 MB/s and take 30 s besides. */
function facts({
  id = 'db',
  diskBytes = 50 * gibibyte,
  churn = 1e6,
  launched,
  stopSeconds,
  pointAt = plusMs(window.opens, -10 * minute),
  phase = 'tested',
}: Given = {}): Member {
  const changedBytes = churn * 900;
  const deltas = Array.from(
    { length: 10 },
    (): SyncRun => ({
      kind: 'delta',
      sinceSeconds: 900,
      readBytes: diskBytes,
      changedBytes,
      seconds: changedBytes / 40e6 + 30,
    }),
  );
  const initial: SyncRun = {
    kind: 'initial',
    seconds: diskBytes / 40e6,
    readBytes: diskBytes,
    changedBytes: diskBytes,
  };
  const disks = [{ ...example.source.disks[0]!, sizeBytes: diskBytes }];
  return {
    plan: { ...example, workloadId: id, source: { ...example.source, disks } },
    state: {
      phase,
      points: [
        {
          syncId: 's',
          kind: 'delta',
          startedAt: pointAt,
          completedAt: pointAt,
          root: '',
          disks: [],
          consistency: 'crash',
        },
      ],
      syncRuns: [initial, ...deltas],
      launched: launched && { purpose: 'test', ...launched },
      steps:
        stopSeconds === undefined
          ? {}
          : { stopServices: { status: 'undone', attempt: 1, startedAt: window.opens, seconds: stopSeconds } },
    },
  };
}
const rank: Readonly<Record<Verdict, number>> = { fits: 0, atRisk: 1, cannotFit: 2 };
const at = (minutes: number) => plusMs(window.opens, minutes * minute);
const judged = (given: Given = {}, now = window.opens, windows = [window, next]) =>
  judgeGroup([['db']], [facts(given)], windows, now);

describe('a prediction', () => {
  it('adds up: services, final delta and its verification, shutdown, import, boot, actions, checks', () => {
    const { path, workloads } = judged({ launched: { importSeconds: 100, bootSeconds: 40 }, stopSeconds: 20 });
    const [db] = workloads;
    expect(db).toMatchObject({
      stopServices: { expectedMs: 20_000, highMs: 30_000 },
      diskImport: { expectedMs: 100_000 },
      boot: { expectedMs: 40_000 },
    });
    // What changes in a cadence and a sync (930 s, 930 MB) at 40 MB/s, and twice the 30 s.
    expect(db!.finalDelta.expectedMs).toBeCloseTo(60_000 + 23_250, -1);
    // At a high estimate the second, verifying sync counts as well.
    expect(db!.finalDelta.highMs).toBeGreaterThanOrEqual(2 * db!.rates.overhead.highMs);
    expect(path.total.expectedMs).toBeCloseTo(20_000 + db!.finalDelta.expectedMs + 45_000 + 140_000, -1);
    expect(path.downtime['db']).toEqual(path.total);
  });

  it('replaces what is assumed by what was measured', () => {
    const assumed = judged().path.total;
    expect(judged({ launched: { importSeconds: 3600, bootSeconds: 60 } }).path.total.expectedMs).toBeGreaterThan(
      assumed.expectedMs,
    );
    expect(judged({ launched: { importSeconds: 1, bootSeconds: 1 } }).path.total.highMs).toBeLessThan(assumed.highMs);
  });

  it('follows the critical path: tiers one after the other, workloads of a tier side by side', () => {
    const slow = facts({ id: 'slow', diskBytes: 500 * gibibyte, churn: 5e6 });
    const of = (tiers: string[][]) =>
      judgeGroup(tiers, [facts({ id: 'a' }), facts({ id: 'b' }), slow], [window], window.opens).path;
    const alone = of([['slow']]).total.highMs;
    expect(of([['a', 'b', 'slow']]).total.highMs).toBe(alone);
    const two = of([['a'], ['slow']]);
    expect(two.total.highMs).toBeGreaterThan(alone);
    expect(two.legs.map(({ what, workloadIds }) => `${what} ${workloadIds}`)).toEqual([
      'stop slow',
      'stop a',
      'launch a',
      'launch slow',
    ]);
    // Who stops first is away longest.
    expect(two.downtime['slow']!.highMs).toBe(two.total.highMs);
    expect(two.downtime['a']!.highMs).toBeLessThan(two.total.highMs);
  });

  it('says what never converges, and that it cannot fit into any window', () => {
    const runs = facts().state.syncRuns.map((run) =>
      run.kind === 'initial' ? run : { ...run, changedBytes: 45e6 * 900, seconds: (45e6 * 900) / 40e6 },
    );
    const hopeless = { ...facts(), state: { ...facts().state, syncRuns: runs } };
    const found = judgeGroup([['db']], [hopeless], [window, next], window.opens);
    expect(found).toMatchObject({
      verdict: 'cannotFit',
      nextWindow: null,
      reasons: [expect.stringContaining('45 MB change per second, and at most 40 MB')],
    });
  });

  it('begins when old answers of DNS have run out, and says so where that is too late', () => {
    const cached = (minutes: number) => {
      const ttl = { records: [], clearAt: at(minutes) };
      return judgeGroup([['db']], [{ ...facts(), state: { ...facts().state, ttl } }], [window, next], window.opens);
    };
    expect(cached(-10)).toEqual(judged());
    const soon = cached(20);
    expect(soon.verdict).toBe('fits');
    expect(soon.latestSafeStart).toBe(judged().latestSafeStart);
    expect(reasonOf(soon)).toContain(`has 3 h 40 min left from ${at(20)}`);
    const late = cached(235);
    expect(late).toMatchObject({ verdict: 'cannotFit', nextWindow: next });
    expect(reasonOf(late)).toContain(`old answers of DNS run out at ${at(235)}; the latest safe start was`);
  });

  it('says what it only assumes', () => {
    const untried = { ...facts(), state: { ...facts().state, syncRuns: [] } };
    expect(judgeGroup([['db']], [untried], [window], window.opens).reasons.at(-1)).toBe(
      'no delta was measured yet of db: their churn is assumed',
    );
  });
});

describe('a verdict', () => {
  it('fits until the latest safe start, is then at risk, then cannot fit; and names the next window', () => {
    const { path, latestSafeStart } = judged();
    const windows = [window, next];
    expect(latestSafeStart).toBe(plusMs(window.closes, -(path.total.highMs + path.undo.highMs)));
    const late = (ms: number) => judge(path, windows, plusMs(latestSafeStart!, ms));
    expect(late(0)).toMatchObject({ verdict: 'fits', window, nextWindow: next });
    expect(late(1).verdict).toBe('atRisk');
    expect(late(path.total.highMs)).toMatchObject({ verdict: 'cannotFit', nextWindow: next });
    expect(reasonOf(late(1))).toContain(`the latest safe start was ${latestSafeStart}`);
    expect(reasonOf(late(1))).toContain(`the next window in which it fits opens at ${next.opens}`);
  });

  it('of a window to come is that of its opening, and waiting is no reason to give up', () => {
    expect(judged({}, at(-6000))).toMatchObject({ verdict: 'fits', window });
    expect(judged({}, window.closes)).toMatchObject({ verdict: 'fits', window: next });
    expect(judged({}, next.closes)).toMatchObject({
      verdict: 'cannotFit',
      window: null,
      latestSafeStart: null,
      reasons: ['no window is left'],
    });
  });

  it('of a cutover that is under way counts only what is left, and the whole way back until traffic moves for good', () => {
    const begins = (part: Part, workloadIds: string[], phases: [Phase, Phase], oneWay = false) => {
      const members = [facts({ id: 'a', phase: phases[0] }), facts({ id: 'b', phase: phases[1] })];
      return judgeGroup([['a'], ['b']], members, [window], window.opens, { part, workloadIds, oneWay });
    };
    const begun = [
      begins('stopServices', ['b'], ['cutoverQueued', 'stoppingServices']),
      begins('shutdown', ['b'], ['cutoverQueued', 'finalSync']),
      begins('stopServices', ['a'], ['stoppingServices', 'sourceOff']),
      begins('shutdown', ['a'], ['finalSync', 'sourceOff']),
      begins('traffic', ['a', 'b'], ['launching', 'launching']),
    ];
    const whole = judgeGroup([['a'], ['b']], [facts({ id: 'a' }), facts({ id: 'b' })], [window], window.opens);
    expect(begun[0]?.latestSafeStart).toBe(whole.latestSafeStart);
    const starts = begun.map(({ latestSafeStart }) => latestSafeStart ?? '');
    expect(starts).toEqual([...new Set(starts)].toSorted());
    const [, off, , , traffic] = begun;
    const [stopA, shutdown] = [inMs(off, 'stop a'), whole.workloads[1]?.shutdown.highMs ?? 0];
    expect(inMs(off, 'stop b')).toBe(shutdown);
    expect(stopA).toBe(inMs(whole, 'stop a'));
    expect(off?.path.total.highMs).toBe(stopA + shutdown + inMs(whole, 'launch a') + inMs(whole, 'launch b'));
    expect(traffic?.latestSafeStart).toBe(plusMs(window.closes, -whole.path.undo.highMs));
    const forGood = begins('traffic', ['a', 'b'], ['launching', 'launching'], true);
    expect(forGood.latestSafeStart).toBe(window.closes);
    expect(forGood.reasons[0]).toBe(
      `0 s of cutover at a high estimate fit: the window that closes at ${window.closes} has 4 h left from ${window.opens}`,
    );
  });

  it('does not ask whether deltas catch up once the last bytes have been copied', () => {
    const runs = facts().state.syncRuns.map((run) =>
      run.kind === 'initial' ? run : { ...run, changedBytes: 45e6 * 900, seconds: (45e6 * 900) / 40e6 },
    );
    const { plan, state } = facts({ phase: 'finalSync' });
    const copied = { part: 'shutdown', workloadIds: ['db'], oneWay: false } as const;
    const member = { plan, state: { ...state, syncRuns: runs } };
    expect(judgeGroup([['db']], [member], [window], window.opens).verdict).toBe('cannotFit');
    expect(judgeGroup([['db']], [member], [window], window.opens, copied).verdict).toBe('fits');
  });

  const churn = fc.double({ min: 0, max: 39e6, noNaN: true });
  const disk = fc.integer({ min: 1, max: 2000 }).map((size) => size * gibibyte);
  const start = fc.integer({ min: -60, max: 260 });
  const more = fc.double({ min: 1, max: 20, noNaN: true });

  it('is never better for more churn, larger disks, or a later start in a window', () => {
    fc.assert(
      fc.property(churn, disk, start, more, (bytes, diskBytes, minutes, factor) => {
        const of = (given: Given, when = minutes) => judged(given, at(when), [window]);
        const base = of({ churn: bytes, diskBytes });
        const worse = [
          // The same deltas in shorter time: they change faster, and are carried as fast.
          judgeGroup([['db']], [fasterBy(facts({ churn: bytes, diskBytes }), factor)], [window], at(minutes)),
          of({ churn: bytes, diskBytes: Math.round(diskBytes * factor) }),
          of({ churn: bytes, diskBytes }, minutes + factor),
        ];
        for (const other of worse) expect(rank[other.verdict]).toBeGreaterThanOrEqual(rank[base.verdict]);
      }),
    );
  });

  it('before the latest safe start leaves room for the cutover at its high estimate and its whole way back', () => {
    fc.assert(
      fc.property(churn, disk, start, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, diskBytes, minutes, part) => {
        const found = judged({ churn: bytes, diskBytes }, at(minutes), [window]);
        fc.pre(found.verdict === 'fits');
        const earliest = Math.max(Date.parse(at(minutes)), Date.parse(window.opens));
        const begin = earliest + part * (Date.parse(found.latestSafeStart!) - earliest);
        const end = begin + found.path.total.highMs + found.path.undo.highMs;
        expect(end).toBeLessThanOrEqual(Date.parse(window.closes) + 1);
      }),
    );
  });

  it('is one of two numbers against one window: nothing else decides', () => {
    const ms = fc.integer({ min: 0, max: 300 }).map((minutes) => minutes * minute);
    fc.assert(
      fc.property(ms, ms, ms, ms, start, (expected, above, undo, undoAbove, minutes) => {
        const path = {
          total: { expectedMs: expected, highMs: expected + above },
          undo: { expectedMs: undo, highMs: undo + undoAbove },
        };
        const now = at(minutes);
        const left = Date.parse(window.closes) - Math.max(Date.parse(now), Date.parse(window.opens));
        const verdict =
          left <= 0
            ? 'cannotFit'
            : expected + above + undo + undoAbove <= left
              ? 'fits'
              : expected + undo <= left
                ? 'atRisk'
                : 'cannotFit';
        expect(judge(path, [window], now).verdict).toBe(verdict);
      }),
    );
  });
});

/** The high estimate of one leg, by what it is and whose. */
function inMs(fit: GroupFit | undefined, leg: string): number {
  return fit?.path.legs.find(({ what, workloadIds }) => `${what} ${workloadIds}` === leg)?.time.highMs ?? 0;
}

function fasterBy(given: Member, factor: number): Member {
  const syncRuns = given.state.syncRuns.map((run) => ({
    ...run,
    ...(run.sinceSeconds === undefined ? {} : { sinceSeconds: run.sinceSeconds / factor }),
  }));
  return { ...given, state: { ...given.state, syncRuns } };
}
