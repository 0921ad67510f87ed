// How a world behaves in a story: how fast it is, what does not work in it, and what comes late or twice.
import type { Chance } from '../../local/durable/chance.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Latencies } from '../latencies/latencies.ts';
import { churned, paceOf, paceThat } from '../latencies/pace.ts';
import type { Pace } from '../world/pace.ts';
import type { World } from '../world/world.ts';
import type { Moments } from './moment.ts';
import type { Story } from './story.ts';

/** The pace of a story: slow from the beginning, or from a phase on, if it says so. */
export function paceIn({ slowness }: Story, latencies: Latencies, chance: Chance, moments: Moments): Pace {
  const { times, from } = slowness;
  if (from === undefined) return paceOf(slowed(latencies, times, times), chance);
  // Imports are polled every minute: hours of them would be most of what many seeds cost.
  const slow = paceOf(slowed(latencies, times, 1), chance);
  return paceThat(paceOf(latencies, chance), slow, () => moments.have(from));
}

function slowed(latencies: Latencies, times: number, importTimes: number): Latencies {
  const { importMegabytesPerSecond, bootSeconds, checkSeconds, syncMegabytesPerSecond } = latencies;
  return {
    ...latencies,
    importMegabytesPerSecond: importMegabytesPerSecond / importTimes,
    bootSeconds: bootSeconds * times,
    checkSeconds: checkSeconds * times,
    syncMegabytesPerSecond: syncMegabytesPerSecond / times,
  };
}

export function disturb(
  world: World,
  { events, feed, breakage, hands, leaks }: Story,
  chance: Chance,
  latencies: Latencies,
): void {
  const { appliances } = world;
  const late = (share: number, seconds: number) => (chance.happens(share) ? chance.below(seconds * 1000) : 0);
  appliances.deliveries = () => {
    const one = () => late(events.late, events.lateSeconds);
    return chance.happens(events.twice) ? [one(), one()] : [one()];
  };
  world.feed = ({ kind }) => ({
    times: chance.happens(feed.twice) ? 2 : 1,
    lateMs: late(kind === 'control' ? feed.lateOrders : feed.late, feed.lateSeconds),
  });
  const lasts = new Map<string, number>();
  appliances.changes = (kind, turn, sizeBytes, disk) => {
    if (kind === 'initial') return sizeBytes;
    if (kind === 'final') return turn > 1 ? 0 : Math.min(sizeBytes, 65_536);
    const now = world.motion.clock.now();
    const since = now - (lasts.get(disk) ?? now);
    lasts.set(disk, now);
    return churned(latencies, since);
  };
  appliances.failsCheck = (_name, command) =>
    chance.happens(isOfTarget(command) ? breakage.validation : breakage.checks);
  appliances.ignores = ({ type }) => type === 'landfall.check.run' && chance.happens(breakage.silence);
  appliances.failsProbe = () => chance.happens(leaks);
  appliances.failsSync = () => chance.happens(breakage.syncs);
  appliances.failsServices = () => chance.happens(breakage.services);
  world.handiwork.isEager = () => chance.happens(hands.eager);
  // What people say of a machine that nothing is seen of is believed: only what is waited for is always found out.
  world.handiwork.isForgotten = (act) =>
    (act === 'installAgent' || act === 'startWorker') && chance.happens(hands.forgets);
  if (breakage.refusesShutdown) for (const machine of world.hosts.machines.values()) machine.refusesShutdown = true;
}

/** Whether checks are those of a target, and not of its clone: their child is called after what they are for. */
function isOfTarget({ operationId }: Command): boolean {
  return operationId.includes('-cutover-');
}

/** The process of one of the appliances ends, and comes back. */
export function restartOne(world: World, which: number, afterMs: number): void {
  const ids = world
    .documents<{ kind: 'appliance'; applianceId: string }>('appliance')
    .map(({ applianceId }) => applianceId);
  const id = ids[which % ids.length];
  if (id !== undefined) world.appliances.restart(id, afterMs);
}
