// One rehearsal: waves, a story drawn from a seed, and what came of it.
import { createHash } from 'node:crypto';
import { Refused } from '../functions/http/problem.ts';
import { Chance } from '../local/durable/chance.ts';
import type { Registrations } from '../local/host/coreModule.ts';
import type { DnsRecord } from '../shared/azure/contract.ts';
import type { Cadence } from '../shared/model/cadence.ts';
import type { WaveDefinition } from '../shared/model/wave.ts';
import { durationMs } from '../shared/policy/duration.ts';
import type { WaveDocument, WorkloadDocument } from '../shared/store/documents.ts';
import { beforeStates } from './end/beforeStates.ts';
import { endFindings } from './end/endFindings.ts';
import { cancelledInVain } from './end/legalEnds.ts';
import type { Replay } from './engine/startEngine.ts';
import type { Finding } from './invariants/invariant.ts';
import { type Latencies, Latencies as LatenciesSchema } from './latencies/latencies.ts';
import { churned, paceOf } from './latencies/pace.ts';
import { type Interval, StepClock } from './report/stepClock.ts';
import { Crowd } from './story/crowd.ts';
import { type FailedStep, Mischief } from './story/mischief.ts';
import { drawStory, type Order, type Story, tell } from './story/story.ts';
import type { Addresses } from './world/loadBalancers.ts';
import { ada } from './world/persons.ts';
import { type Inventory, World } from './world/world.ts';

/** What is rehearsed. */
export interface Rehearsed {
  inventory: Inventory;
  waves: readonly WaveDefinition[];
  /** The first moment, ISO 8601 in UTC. */
  start: string;
  /** Records of DNS that are there before, by type and name; none if absent: a rehearsal asks no zone. */
  records?: ReadonlyMap<string, DnsRecord>;
  /** Addresses that backend pools hold before, by the pools' ids. */
  pools?: Addresses;
}

export interface RehearsalOptions {
  latencies?: Latencies;
  replay?: Replay;
  failedSteps?: readonly FailedStep[];
  /** Changes the drawn story, before it begins. */
  change?: (story: Story) => Story;
  /** Changes the world, before the story begins: for tests that break something on purpose. */
  prepare?: (world: World) => void;
}

export interface Rehearsal {
  seed: number;
  /** What was to happen, in words. */
  story: string[];
  /** How each wave ended, and each workload. */
  waves: Record<string, WaveDocument['status']>;
  phases: Record<string, string>;
  findings: Finding[];
  deeds: string[];
  transitions: number;
  activities: number;
  crashes: number;
  startedAt: string;
  endedAt: string;
  /** The same seed gives the same digest. */
  digest: string;
  /** Why the waves could not even be planned. */
  refused: string | undefined;
  /** Every step that was completed, with its times. */
  intervals: Interval[];
  world: World;
}

const orders: readonly Order[] = ['rollback', 'rollback', 'withdraw', 'cancel', 'pause', 'defer', 'rush', 'revalidate'];
const longest = 60 * 86_400_000;
/** Longer than the checks of any drawn wave take, with all their tries. */
const patience = 86_400_000;
const activitiesOf = ({ waves }: Rehearsed): number =>
  40 + 130 * waves.flatMap(({ groups }) => groups.flatMap(({ workloads }) => workloads)).length;

/** Rehearses one seed, from planning to the end. Never throws for what the story does: that becomes a finding. */
export async function rehearse(
  registrations: Registrations,
  rehearsed: Rehearsed,
  seed: number,
  { latencies = LatenciesSchema.parse({}), replay = 'live', failedSteps = [], change, prepare }: RehearsalOptions = {},
): Promise<Rehearsal> {
  const drawn = drawStory(seed, activitiesOf(rehearsed), orders);
  const story = change?.(drawn) ?? drawn;
  const chance = new Chance(seed ^ 0x57027);
  const { inventory, start } = rehearsed;
  const pace = paceOf(slowed(latencies, story.slowness), chance);
  const world = new World(registrations, {
    ...{ sources: inventory.sources, start, pace, replay, seed },
    faults: story.engine,
  });
  const crowd = new Crowd(world, story, chance, latencies);
  const mischief = new Mischief(story, chance, failedSteps, (call) => {
    for (const order of story.orders) if (order.call === call) crowd.order(order);
    for (const { call: at, appliance, seconds } of story.restarts)
      if (at === call) restartOne(world, appliance, seconds * 1000);
  });
  world.people.atGate = {};
  const steps = new StepClock();
  world.onWritten = (document) => {
    crowd.reads(document);
    steps.reads(document);
  };
  world.interference = mischief;
  disturb(world, story, chance, latencies);
  for (const [key, record] of rehearsed.records ?? []) world.azure.records.set(key, record);
  world.azure.pools.hold(rehearsed.pools ?? new Map());
  prepare?.(world);
  const before = beforeStates.note(world);
  let refused: string | undefined;
  let endedAt: string | undefined;
  try {
    await play(world, rehearsed, story, chance);
    endedAt = world.capabilities.now();
    await letRest(world);
    for (const [name, what] of endFindings(world, before)) world.monitor.found(name, what);
  } catch (error) {
    if (error instanceof Refused)
      refused = [
        error.message,
        ...(error.refusal.errors ?? []).map(({ path, message, fix }) => `${path}: ${message}; ${fix}`),
      ].join('\n');
    world.monitor.found('the story comes to an end', error instanceof Error ? error.message : String(error));
  }
  const result: Rehearsal = {
    ...{
      seed,
      story: tell(story),
      waves: {},
      phases: world.phases(),
      findings: world.monitor.findings,
      deeds: crowd.deeds,
      world,
    },
    ...{ transitions: world.monitor.transitions, activities: mischief.calls, crashes: world.crashes },
    ...{
      startedAt: start,
      endedAt: endedAt ?? world.capabilities.now(),
      digest: digestOf(world),
      refused,
      intervals: steps.intervals,
    },
  };
  for (const { waveId, status } of world.documents<WaveDocument>('wave')) result.waves[waveId] = status;
  await world.close();
  return result;
}

/** Plans and starts the waves, and waits for their ends; whoever did not commit may be started once more. */
async function play(
  world: World,
  { inventory, waves }: Rehearsed,
  { people, keepsTime }: Story,
  chance: Chance,
): Promise<void> {
  await world.stock(inventory);
  for (const wave of waves) await world.people.post(wave);
  world.keepTime(keepsTime ? tickOf(world) : 6 * 3_600_000);
  for (const { id } of waves) {
    const begun = () => world.people.start(id);
    if (id === waves[0]?.id) await begun();
    else world.motion.later(chance.below(3_600_000), async () => void (await begun()));
  }
  await world.lasting(
    () => waves.every(({ id }) => world.wave(id).attempt > 0 && world.hasEnded(id)),
    'the waves end',
    longest,
  );
  for (const what of cancelledInVain(world)) world.monitor.found('the end is legal', what);
  const again = waves.filter(({ id }) => people.startsAgain && world.wave(id).status !== 'committed');
  for (const { id } of again) await world.people.try('wavesStart', { id }, {}, ada);
  await world.lasting(() => waves.every(({ id }) => world.hasEnded(id)), 'the waves end once more', longest);
  if (!keepsTime && chance.happens(0.3)) await longAfter(world);
  await world.told();
}

/** Until people have been asked what becomes of the points and sources of what has committed, and have answered. */
async function longAfter(world: World): Promise<void> {
  await world.motion.pass(15 * 86_400_000);
  const isOver = () => world.openGates().length + world.openQuestions().length === 0 && world.isAtRest();
  await world.lasting(isOver, 'people have decided about what has committed', longest);
}

/** What only looks is left behind by an order, and ends by itself: it has had its answer by then, or waited long enough. */
async function letRest(world: World): Promise<void> {
  let over = false;
  world.motion.later(patience, async () => {
    over = true;
  });
  await world.lasting(() => over || world.isAtRest(), 'what was left behind ends', 2 * patience);
}

/** As often as the waves need it: deltas in time, and no lag that stops a cutover. */
function tickOf(world: World): number {
  const syncs = world.documents<WorkloadDocument>('state').map(({ plan }) => plan.settings.sync);
  // Only plain intervals say by themselves how often somebody must look; the others are seen every quarter of an hour.
  const often = (cadence: Cadence) =>
    typeof cadence === 'string' && cadence !== 'continuous' ? durationMs(cadence) : 900_000;
  const wanted = syncs.map(({ cadence, maxLagAtCutover }) => Math.min(often(cadence), durationMs(maxLagAtCutover) / 3));
  return Math.max(60_000, Math.min(900_000, ...wanted));
}

function disturb(world: World, { events, breakage, hands, leaks }: Story, chance: Chance, latencies: Latencies): void {
  const { appliances } = world;
  appliances.deliveries = () => {
    const late = () => (chance.happens(events.late) ? chance.below(events.lateSeconds * 1000) : 0);
    return chance.happens(events.twice) ? [late(), late()] : [late()];
  };
  const lasts = new Map<string, number>();
  appliances.changes = (kind, turn, sizeBytes, disk) => {
    if (kind === 'initial') return sizeBytes;
    if (kind === 'final') return turn > 1 ? 0 : Math.min(sizeBytes, 65_536);
    const now = world.motion.clock.now();
    const since = now - (lasts.get(disk) ?? now);
    lasts.set(disk, now);
    return churned(latencies, since);
  };
  appliances.failsCheck = () => chance.happens(breakage.checks);
  appliances.failsProbe = () => chance.happens(leaks);
  appliances.failsSync = () => chance.happens(breakage.syncs);
  appliances.failsServices = () => chance.happens(breakage.services);
  world.handiwork.isEager = () => chance.happens(hands.eager);
  // What people say of a machine that nothing is seen of is believed: only what is waited for is always found out.
  world.handiwork.isForgotten = (act) =>
    (act === 'installAgent' || act === 'startWorker') && chance.happens(hands.forgets);
  if (breakage.refusesShutdown) for (const machine of world.hosts.machines.values()) machine.refusesShutdown = true;
}

function restartOne(world: World, which: number, afterMs: number): void {
  const ids = world
    .documents<{ kind: 'appliance'; applianceId: string }>('appliance')
    .map(({ applianceId }) => applianceId);
  const id = ids[which % ids.length];
  if (id !== undefined) world.appliances.restart(id, afterMs);
}

function slowed(latencies: Latencies, times: number): Latencies {
  const { importMegabytesPerSecond, bootSeconds, checkSeconds, syncMegabytesPerSecond } = latencies;
  return {
    ...latencies,
    importMegabytesPerSecond: importMegabytesPerSecond / times,
    bootSeconds: bootSeconds * times,
    checkSeconds: checkSeconds * times,
    syncMegabytesPerSecond: syncMegabytesPerSecond / times,
  };
}

function digestOf(world: World): string {
  const states = world
    .documents<WorkloadDocument>('state')
    .map(({ workloadId, state }) => [workloadId, state.version, state.phase]);
  const told = [world.changes, states, world.monitor.transitions];
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}
