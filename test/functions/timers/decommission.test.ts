// Who is asked about what has committed, and when: the watchdog starts what asks, each question once.
import { describe, expect, it } from 'vitest';
import { askWhatIsDue } from '../../../functions/timers/decommission.ts';
import type { PlatformEvent } from '../../../shared/lifecycle/events.ts';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';
import { wayToTraffic } from '../../fakes/wayToTraffic.ts';
import { FakeOrchestrations } from '../http/api.ts';

const way: Phase[] = [...wayToTraffic, 'validating', 'committed'];

async function world() {
  const reach = fakeReach();
  await withWave(reach);
  const orchestrations = new FakeOrchestrations();
  const events = (workloadId: string, ...all: Pick<PlatformEvent, 'type' | 'data'>[]) =>
    reach.store.workloads.append(
      'w1',
      workloadId,
      all.map((event, n) => {
        const id = `${event.type}.${reach.now()}.${n}`;
        return { id, time: reach.now(), source: 'platform', ...event } as PlatformEvent;
      }),
    );
  const entered = (phase: Phase) => ({ type: 'landfall.workload.phaseEntered', data: { phase, reason: 't' } }) as const;
  return {
    reach,
    orchestrations,
    started: () => orchestrations.started.map(({ instanceId }) => instanceId),
    look: async () => askWhatIsDue(reach, orchestrations, await reach.store.waves.list()),
    standing: async () => (await reach.store.waves.get('w1'))?.decommission,
    commit: async (workloadId: string, dueAt: string) => {
      const scheduled = { type: 'landfall.decommission.scheduled', data: { dueAt, reason: 't' } } as const;
      await events(workloadId, ...way.map(entered), scheduled);
    },
    due: (groupId: string, dueAt: string) =>
      reach.store.waves.change('w1', (wave) => ({ ...wave, decommission: { [groupId]: { dueAt } } })),
  };
}

const dueAt = '2026-12-01T01:00:00.000Z';

describe('a group whose time is over', () => {
  it('is asked about once, by an orchestration that is started again only where it never was', async () => {
    const { reach, orchestrations, commit, due, look, started, standing } = await world();
    await commit('app', dueAt);
    await due('shop', dueAt);
    await look();
    expect(started()).toEqual([]);
    reach.pass(3_600_000);
    orchestrations.broken = true;
    await expect(look()).rejects.toThrow('the durable runtime is gone');
    orchestrations.broken = false;
    for (let n = 0; n < 3; n++) await look();
    expect(started()).toEqual(['decommission-w1.shop-20261201010000000']);
    expect(orchestrations.started[0]?.input).toEqual({ waveId: 'w1', groupId: 'shop', environmentId: 'west' });
    expect(await standing()).toEqual({ shop: { asking: 'decommission-w1.shop-20261201010000000' } });
  });

  it('is asked about anew where what asked has ended without an answer, and nobody who is not due with it', async () => {
    const { reach, orchestrations, commit, due, look, started, standing } = await world();
    await commit('app', dueAt);
    await commit('web', '2026-12-24T00:00:00.000Z');
    await due('shop', dueAt);
    reach.pass(7_200_000);
    await look();
    orchestrations.standings.set(started()[0] ?? '', 'ended');
    await look();
    expect(await standing()).toEqual({ shop: { dueAt: reach.now() } });
    expect((await reach.store.workloads.get('w1', 'app'))?.state.decommission?.dueAt).toBe(reach.now());
    expect((await reach.store.workloads.get('w1', 'web'))?.state.decommission?.dueAt).toBe('2026-12-24T00:00:00.000Z');
    reach.pass(1000);
    await look();
    expect(started()).toHaveLength(2);
    expect(new Set(started()).size).toBe(2);
  });
});
