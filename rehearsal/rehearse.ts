// One rehearsal: waves, a story drawn from a seed, and what came of it.
import { createHash } from 'node:crypto';
import { Refused } from '../functions/http/problem.ts';
import { Chance } from '../local/durable/chance.ts';
import type { Registrations } from '../local/host/coreModule.ts';
import type { DnsRecord } from '../shared/azure/contract.ts';
import type { WaveDefinition } from '../shared/model/wave.ts';
import type { WaveDocument, WorkloadDocument } from '../shared/store/documents.ts';
import { beforeStates } from './end/beforeStates.ts';
import { endFindings } from './end/endFindings.ts';
import type { Replay } from './engine/startEngine.ts';
import type { Finding } from './invariants/invariant.ts';
import { type Latencies, Latencies as LatenciesSchema } from './latencies/latencies.ts';
import { type Interval, StepClock } from './report/stepClock.ts';
import { Crowd } from './story/crowd.ts';
import { disturb, paceIn, restartOne } from './story/disturb.ts';
import { Doings } from './story/doings.ts';
import { type FailedStep, Mischief } from './story/mischief.ts';
import { Moments } from './story/moment.ts';
import { letRest, play } from './story/play.ts';
import { drawStory, type FailureKind, type Story } from './story/story.ts';
import { tell } from './story/tell.ts';
import type { Addresses } from './world/loadBalancers.ts';
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
  /** How many failures of each kind made a difference to an activity. */
  failures: ReadonlyMap<FailureKind, number>;
  crashes: number;
  /** How many requests ended in their middle. */
  cutOff: number;
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

const activitiesOf = ({ waves }: Rehearsed): number =>
  40 + 130 * waves.flatMap(({ groups }) => groups.flatMap(({ workloads }) => workloads)).length;

/** Rehearses one seed, from planning to the end. Never throws for what the story does: that becomes a finding. */
export async function rehearse(
  registrations: Registrations,
  rehearsed: Rehearsed,
  seed: number,
  { latencies = LatenciesSchema.parse({}), replay = 'live', failedSteps = [], change, prepare }: RehearsalOptions = {},
): Promise<Rehearsal> {
  const drawn = drawStory(seed, activitiesOf(rehearsed));
  const story = change?.(drawn) ?? drawn;
  const chance = new Chance(seed ^ 0x57027);
  const { inventory, start } = rehearsed;
  const moments = new Moments();
  const pace = paceIn(story, latencies, chance, moments);
  const world = new World(registrations, {
    ...{ sources: inventory.sources, start, pace, replay, seed },
    faults: story.engine,
  });
  const doings = new Doings(world, chance, story.cutOff);
  const crowd = new Crowd(doings, story.people, latencies.people);
  const mischief = new Mischief(story, { chance, moments }, failedSteps, () => {
    for (const order of story.orders) if (moments.isNow(order.at)) crowd.order(order);
    for (const { at, appliance, seconds } of story.restarts)
      if (moments.isNow(at)) restartOne(world, appliance, seconds * 1000);
  });
  world.people.atGate = {};
  const steps = new StepClock();
  world.onWritten = (document) => {
    moments.reads(document);
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
    await play(doings, rehearsed, story);
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
      deeds: doings.deeds,
      world,
    },
    ...{
      transitions: world.monitor.transitions,
      activities: moments.calls,
      failures: mischief.done,
      crashes: world.crashes,
      cutOff: doings.cutOff,
    },
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

function digestOf(world: World): string {
  const states = world
    .documents<WorkloadDocument>('state')
    .map(({ workloadId, state }) => [workloadId, state.version, state.phase]);
  const told = [world.changes, states, world.monitor.transitions];
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}
