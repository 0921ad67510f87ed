// The example's wave, smaller, in which processes are killed where the seed says: the local Azure with the app in it, and
// appliances. A moment is a number of committed events, not a time: it is the same one on a slow machine.
import { expect } from 'vitest';
import { compareDisks } from '../../../examples/first-wave/summary.ts';
import { Approver } from '../../../examples/harness/approver.ts';
import { Stage } from '../../../examples/harness/stage.ts';
import { type Snapshot, watchWave } from '../../../examples/harness/watch.ts';
import { Chance } from '../../../local/durable/chance.ts';
import { committedStory, flawsOf, historyOf, missingFrom, storyOf } from '../history.ts';
import { Target } from '../target.ts';
import { complainOfAttention, newPlace, planWave } from '../world.ts';

/** The servers of the example: one read by its own agent, one by a worker, and one that needs the other. */
const moving = [
  { id: 'db-01', service: 'ledger' },
  { id: 'jobs-01', service: 'scheduler' },
  { id: 'web-01', service: 'portal' },
].map((server) => ({ ...server, diskMiB: 24, dataMiB: 4 }));
/** About as many events as a workload has in a run that nobody disturbs. */
export const momentsEach = 110;
const theCloud = 'the local Azure';

interface Kill {
  moment: number;
  victim: 'cloud' | 'appliance';
  /** Which of the appliances that run then. */
  draw: number;
}

/** When is killed what: the same for the same seed. */
export function killsOf(seed: number, count: number, workloads: number): Kill[] {
  const chance = new Chance(seed);
  const kills = Array.from({ length: count }, () => ({
    moment: chance.below(momentsEach * workloads),
    victim: chance.happens(0.5) ? ('cloud' as const) : ('appliance' as const),
    draw: chance.next(),
  }));
  return kills.sort((a, b) => a.moment - b.moment);
}

/**
 * Moves the servers in one wave under a seed's kills, and looks at everything that must hold afterwards. `atOnce`: no group
 * waits for another one. Returns what was killed.
 */
export async function surviveKills(
  seed: number,
  { kills: count, atOnce = false }: { kills: number; atOnce?: boolean },
): Promise<string[]> {
  const place = newPlace();
  try {
    const stage = await Stage.set(place.folder, moving);
    const plan = await planWave(stage, moving, (wave) => ({
      ...wave,
      id: `killed-${seed}`,
      groups: atOnce ? wave.groups.map((group) => ({ ...group, dependsOn: [] })) : wave.groups,
    }));
    await stage.asAda.startWave(plan.waveId);
    const left = killsOf(seed, count, moving.length);
    const killed: string[] = [];
    const approver = new Approver(stage.asGrace, 0);
    const last = await watchWave(stage.asAda, plan.waveId, {
      everyMs: 200,
      withinMs: 400_000,
      enough: complainOfAttention(stage),
      async seen(snapshot) {
        await approver.see(snapshot);
        const [next] = left;
        if (next === undefined || progressOf(snapshot) < next.moment) return;
        left.shift();
        killed.push(await kill(stage, next));
      },
    });
    expect(last.wave.status).toBe('committed');
    for (const workload of plan.workloads) {
      const compared = await compareDisks(stage.azure(plan.environment), workload);
      expect(compared.map(({ equal }) => equal)).toEqual([true]);
      const history = await historyOf(stage.asAda, plan.waveId, workload.workloadId);
      expect(flawsOf(history)).toEqual([]);
      expect(storyOf(history)).toEqual(committedStory(workload.method));
      // Nothing that was to be kept is lost: what may go missing is the progress that a killed appliance was about to tell.
      const appliances = killed.filter((victim) => !victim.startsWith(theCloud));
      expect(missingFrom(history)).toBeLessThanOrEqual(appliances.length);
    }
    expect(
      (await new Target(stage, plan.environment).madeFor(plan.waveId)).filter((line) => line.includes('-uat')),
    ).toEqual([]);
    expect(await stage.asAda.quarantine()).toEqual({ quarantine: [] });
    return killed;
  } finally {
    await place.clear();
  }
}

/** How many events the workloads have had. */
function progressOf({ wave }: Snapshot): number {
  return wave.groups
    .flatMap(({ workloads }) => workloads)
    .reduce((sum, one) => sum + ('version' in one ? one.version : 0), 0);
}

async function kill(stage: Stage, { moment, victim, draw }: Kill): Promise<string> {
  const appliances = stage.appliances();
  const appliance = appliances[Math.floor(draw * appliances.length)];
  if (victim === 'appliance' && appliance !== undefined) {
    process.kill(appliance.pid, 'SIGKILL');
    return `${appliance.name} at ${moment}`;
  }
  await stage.cloud.kill();
  await stage.cloud.start();
  return `${theCloud} at ${moment}`;
}
