// The whole app's orchestrations on the real SDK and the local engine, around them a modelled world on virtual time.
// Whoever opens it scripts what fails, who answers what and when, lets the world run, and looks at what became of it.
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { committed } from '../../functions/changefeed/committed.ts';
import type { Orchestrations } from '../../functions/orchestrations.ts';
import { deltaSyncs } from '../../functions/timers/deltaSyncs.ts';
import { watchdog } from '../../functions/timers/watchdog.ts';
import type { DurableManagement } from '../../local/durable/client.ts';
import type { DeterministicEngine } from '../../local/durable/deterministic.ts';
import type { Faults } from '../../local/durable/faults.ts';
import { loadApp } from '../../local/host/app.ts';
import type { Registrations } from '../../local/host/coreModule.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { Environment, Profile } from '../../shared/model/environment.ts';
import { applianceIds, type WavePlan, type WorkloadPlan } from '../../shared/model/plan.ts';
import type { Source } from '../../shared/model/source.ts';
import type { GateDocument, WaveDocument } from '../../shared/store/documents.ts';
import { createMemoryStore } from '../../shared/store/memory.ts';
import { stage } from '../app/stage.ts';
import { type EngineSetting, type Replay, startEngine } from '../engine/startEngine.ts';
import { oneSideServes } from '../invariants/oneSideServes.ts';
import { ModelledAppliances } from './appliances.ts';
import { ModelledAzure } from './azure.ts';
import { ModelledBus } from './bus.ts';
import { config } from './config.ts';
import { ModelledHosts } from './hosts.ts';
import { Mirror, type Written } from './mirror.ts';
import { Motion } from './motion.ts';
import { orchestrationsOn } from './orchestrations.ts';
import { People } from './people.ts';
import { Script } from './script.ts';

const everyMs = 300_000;

/** What waves refer to by id. */
export interface Inventory {
  environments: readonly Environment[];
  profiles: readonly Profile[];
  sources: readonly Source[];
}

export interface Setting {
  sources: readonly Source[];
  /** The first moment, ISO 8601 in UTC. */
  start: string;
  /** How often every activity runs and every message arrives; once if absent. */
  times?: number;
  /** How orchestrations are run; `always` if absent. */
  replay?: Replay;
  /** What goes wrong in the engine, and from which seed. */
  faults?: Faults;
  seed?: number;
}

/** The app whose orchestrations a world runs: all orchestrators and activities, and nothing else. */
export const rehearsedApp = (): Promise<Registrations> => loadApp(join(import.meta.dirname, '../app'));

export class World extends Mirror {
  readonly motion: Motion;
  readonly script = new Script();
  readonly people: People;
  readonly azure: ModelledAzure;
  readonly hosts: ModelledHosts;
  readonly bus: ModelledBus;
  readonly appliances: ModelledAppliances;
  readonly capabilities: Capabilities;
  /** Everything that was really changed in the world, in order. */
  readonly changes: string[] = [];
  /** Hears of every episode that is replayed. */
  onEpisode: EngineSetting['onEpisode'] | undefined;
  readonly violations: string[] = [];
  readonly #engine: DeterministicEngine;
  readonly #orchestrations: Orchestrations;
  readonly #times: number;
  readonly #plans = new Map<string, WorkloadPlan>();
  readonly #untold: Written[] = [];
  #telling = 0;

  /** `registrations`: the rehearsed app, from `rehearsedApp()`. */
  constructor(registrations: Registrations, setting: Setting) {
    super();
    this.#times = setting.times ?? 1;
    this.motion = new Motion(setting.start);
    this.motion.summary = () => this.#summary();
    const { clock } = this.motion;
    const changed = (change: string) => this.#changed(change);
    const azure = new ModelledAzure(clock, changed);
    const hosts = new ModelledHosts(setting.sources, changed);
    const bus = new ModelledBus((command) => this.appliances.receive(command));
    const now = () => clock.iso();
    const store = createMemoryStore((_container, document) => this.#written(document), now);
    this.capabilities = { config, now, store, bus, azure, hosts };
    const later = this.motion.later.bind(this.motion);
    this.appliances = new ModelledAppliances({ store, now, azure, hosts, later, deliveries: this.#times });
    azure.onAppliance = ({ id }) => this.appliances.start(applianceIds.target(id));
    hosts.onWorker = (name) => this.appliances.start(name);
    hosts.onAgent = (sourceId) => this.appliances.start(applianceIds.agent(sourceId));
    [this.azure, this.hosts, this.bus] = [azure, hosts, bus];
    stage.perform = (activity, call) => this.script.perform(activity, call, this.capabilities, this.#times);
    const { replay = 'always', seed = 0, faults = {} } = setting;
    const track = this.motion.track.bind(this.motion);
    this.#engine = startEngine({
      ...{ registrations, replay, seed, faults, clock, track },
      onEpisode: (...episode) => this.onEpisode?.(...episode),
    });
    this.#orchestrations = orchestrationsOn(this.#engine);
    this.people = new People({ capabilities: this.capabilities, orchestrations: this.#orchestrations }, this);
  }

  /** Puts what a wave refers to into the store: environments, profiles, sources. */
  async stock({ environments, profiles, sources }: Inventory): Promise<void> {
    const { store } = this.capabilities;
    for (const environment of environments) await store.environments.put(environment);
    for (const profile of profiles) await store.profiles.put(profile);
    for (const source of sources) await store.sources.put(source);
  }

  /** The management of the engine that runs now: not to be kept, as a crash brings another one. */
  get durable(): DurableManagement {
    return this.#engine.durable;
  }

  async close(): Promise<void> {
    await this.motion.settle();
    await this.#engine.stop();
  }

  start(waveId?: string): Promise<unknown> {
    return this.people.start(waveId);
  }

  until(isTrue: () => unknown, what?: string): Promise<void> {
    return this.motion.until(isTrue, what);
  }

  /** Until the wave's orchestration has ended. */
  async ended(waveId = this.wave().waveId): Promise<WaveDocument> {
    await this.until(() => this.hasEnded(waveId), 'the wave ends');
    const { runtimeStatus, output } = this.durable.status(`wave-${waveId}`) ?? {};
    if (runtimeStatus !== 'Completed') throw new Error(`the wave is ${runtimeStatus}: ${JSON.stringify(output)}`);
    return this.wave(waveId);
  }

  hasEnded(waveId = this.wave().waveId): boolean {
    const status = this.durable.status(`wave-${waveId}`)?.runtimeStatus;
    return status !== 'Running' && status !== 'Pending';
  }

  /** Until somebody is asked about a failed step. */
  async question(): Promise<void> {
    await this.until(() => this.openQuestions().length > 0, 'a question');
  }

  /** Until the change feed has told everything that is written. */
  async told(): Promise<void> {
    while (this.#telling > 0 || this.#untold.length > 0) await nextTurn();
  }

  /** The app's timers from now on: deltas, watchdog, and the appliances' heartbeats. */
  keepTime(): void {
    this.motion.later(everyMs, async () => {
      await this.appliances.beat();
      await deltaSyncs(this.capabilities);
      await watchdog(this.capabilities);
      this.keepTime();
    });
  }

  #summary(): string {
    const instances = this.durable.query({}).instances;
    const running = instances.filter(({ runtimeStatus }) => runtimeStatus === 'Running');
    const questions = this.openQuestions().map(({ step, failure }) => `${step}: ${failure.message}`);
    const last = this.script.calls.slice(-8).map(({ name }) => name);
    const at = this.capabilities.now();
    const phases = this.phases();
    return JSON.stringify(
      { at, phases, running: running.map(({ instanceId }) => instanceId), questions, last },
      null,
      1,
    );
  }

  #changed(change: string): void {
    this.changes.push(change);
    this.violations.push(...oneSideServes(this.#plans.values(), this.azure, this.hosts));
    this.appliances.flush();
  }

  #written(document: Written): void {
    this.note(document);
    if (document.kind === 'wave') this.#know((document as unknown as WaveDocument).plan);
    this.#untold.push(document);
    if (this.#untold.length === 1) this.motion.aside(nextTurn().then(() => this.#tell()));
    const gate = document as unknown as GateDocument;
    if (gate.kind === 'gate' && gate.status === 'open' && gate.decisions.length === 0)
      this.motion.aside(this.people.decide(gate));
  }

  #know({ waveId, workloads }: WavePlan): void {
    for (const plan of workloads) {
      this.#plans.set(`${waveId}/${plan.workloadId}`, plan);
      this.azure.testSubnets.add(plan.settings.placement.testSubnetId);
    }
  }

  async #tell(): Promise<void> {
    const documents = this.#untold.splice(0);
    this.#telling++;
    for (let time = 0; time < this.#times; time++) await committed(documents, this.#orchestrations);
    this.#telling--;
  }
}
