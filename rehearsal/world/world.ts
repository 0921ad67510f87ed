// The whole app's orchestrations on the real SDK and the local engine, around them a modelled world on virtual time.
// Whoever opens it scripts what fails, who answers what and when, lets the world run, and looks at what became of it.
import { AsyncLocalStorage } from 'node:async_hooks';
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
import type { ActivityCall } from '../../shared/durable/activity.ts';
import type { Environment, Profile } from '../../shared/model/environment.ts';
import { applianceIds } from '../../shared/model/plan.ts';
import type { Source } from '../../shared/model/source.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { GateDocument, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import type { SshKeyring } from '../../shared/ssh/credentials.ts';
import { createMemoryStore } from '../../shared/store/memory.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import { stage } from '../app/stage.ts';
import { type EngineSetting, type Replay, startEngine } from '../engine/startEngine.ts';
import { Monitor } from '../invariants/monitor.ts';
import { ModelledAppliances } from './appliances.ts';
import { ModelledAzure } from './azure.ts';
import { ModelledBus } from './bus.ts';
import type { Change } from './change.ts';
import { config } from './config.ts';
import { Handiwork } from './handiwork.ts';
import { ModelledHosts } from './hosts.ts';
import { Mirror, type Written } from './mirror.ts';
import { Motion } from './motion.ts';
import { orchestrationsOn } from './orchestrations.ts';
import { type Pace, quick } from './pace.ts';
import { People } from './people.ts';
import { carl } from './persons.ts';
import { PlanIndex } from './planIndex.ts';
import { Script } from './script.ts';
import { ModelledWebhooks } from './webhooks.ts';

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
  /** How long things take; nothing takes long if absent. */
  pace?: Pace;
  /** How orchestrations are run; `always` if absent. */
  replay?: Replay;
  /** What goes wrong in the engine, and from which seed. */
  faults?: Faults;
  seed?: number;
}

/** Every credential is there, for every host. */
const keyring: SshKeyring = { require: () => undefined, of: () => ({ user: 'modelled', password: 'modelled' }) };

/** The app whose orchestrations a world runs: all orchestrators and activities, and nothing else. */
export const rehearsedApp = (): Promise<Registrations> => loadApp(join(import.meta.dirname, '../app'));

/** What comes between an orchestration and its activities. */
export interface Interference {
  perform(
    name: string,
    call: ActivityCall,
    capabilities: Capabilities,
    run: (capabilities: Capabilities) => Promise<unknown>,
  ): Promise<unknown>;
}

export class World extends Mirror {
  interference: Interference | undefined;
  /** How often the change feed tells a batch that begins with a document, and how late, in milliseconds. */
  feed = (_first: Written): { times: number; lateMs: number } => ({ times: this.#times, lateMs: 0 });
  /** How many of its batches came twice, and how many late. */
  readonly fed = { twice: 0, late: 0 };
  /** Hears of every committed document. */
  onWritten: (document: Written) => void = () => {};
  /** The orchestrations that each one has started, by instance id. */
  readonly children = new Map<string, Set<string>>();
  readonly motion: Motion;
  readonly script = new Script();
  readonly people: People;
  readonly handiwork: Handiwork;
  readonly azure: ModelledAzure;
  readonly hosts: ModelledHosts;
  readonly bus: ModelledBus;
  readonly webhooks: ModelledWebhooks;
  readonly appliances: ModelledAppliances;
  readonly capabilities: Capabilities;
  /** Everything that was really changed in the world, in order. */
  readonly changes: string[] = [];
  /** Hears of every episode that is replayed. */
  onEpisode: EngineSetting['onEpisode'] | undefined;
  /** What it breaks, if anything; looked for at every transition. */
  readonly monitor: Monitor;
  readonly #engine: DeterministicEngine;
  readonly #orchestrations: Orchestrations;
  readonly #times: number;
  readonly #plans = new PlanIndex();
  /** The operation whose activity is running. */
  readonly #operation = new AsyncLocalStorage<string>();
  readonly #untold: Written[] = [];
  #telling = 0;

  /** `registrations`: the rehearsed app, from `rehearsedApp()`. */
  constructor(registrations: Registrations, setting: Setting) {
    super();
    this.#times = setting.times ?? 1;
    this.motion = new Motion(setting.start);
    this.motion.summary = () => this.#summary();
    const { clock } = this.motion;
    const { pace = quick } = setting;
    const changed = (change: Change) => this.#changed(change);
    const found = (what: string) => this.monitor.found('the model', what);
    const later = this.motion.later.bind(this.motion);
    this.webhooks = new ModelledWebhooks(changed);
    const azure = new ModelledAzure(clock, { changed, found, takesMs: pace.azure });
    const hosts = new ModelledHosts(setting.sources, { changed, later, shutdownMs: pace.shutdown });
    const bus = new ModelledBus((command) => this.#sent(command), found);
    const now = () => clock.iso();
    const store = createMemoryStore((_container, document) => this.#written(document), now);
    this.capabilities = { config, now, store, bus, azure, hosts, ssh: keyring, webhooks: this.webhooks };
    this.appliances = new ModelledAppliances({ store, now, azure, hosts, pace, changed, found, later });
    if (this.#times > 1) this.appliances.deliveries = () => new Array<number>(this.#times).fill(0);
    azure.onAppliance = ({ id }) => this.appliances.start(applianceIds.target(id), 'target');
    hosts.onWorker = (name) => this.appliances.start(name, 'worker');
    hosts.onBoot = (sourceId) => this.motion.aside(this.appliances.boots(applianceIds.agent(sourceId)));
    hosts.onAgent = (sourceId) => this.appliances.start(applianceIds.agent(sourceId), 'agent');
    [this.azure, this.hosts, this.bus] = [azure, hosts, bus];
    const plansOf = this.#plans.of.bind(this.#plans);
    this.monitor = new Monitor({ azure, hosts, appliances: this.appliances, documents: this, now, plansOf });
    stage.perform = (activity, call) => {
      const sent = call as ActivityCall;
      const run = (capabilities: Capabilities) => this.script.perform(activity, call, capabilities, this.#times);
      return this.#operation.run(sent.operationId, () =>
        this.interference === undefined
          ? run(this.capabilities)
          : this.interference.perform(activity.name, sent, this.capabilities, run),
      );
    };
    const { replay = 'always', seed = 0, faults = {} } = setting;
    const track = this.motion.track.bind(this.motion);
    this.#engine = startEngine({
      ...{ registrations, replay, seed, faults, clock, track },
      onBegin: (instanceId, parentId) => this.#begins(instanceId, parentId),
      onEpisode: (...episode) => this.onEpisode?.(...episode),
    });
    this.#orchestrations = orchestrationsOn(this.#engine);
    this.people = new People({ capabilities: this.capabilities, orchestrations: this.#orchestrations }, this);
    this.handiwork = new Handiwork({
      hosts,
      aside: this.motion.aside.bind(this.motion),
      sourceOf: (waveId, workloadId) => this.workload(waveId, workloadId)?.plan.source.id ?? workloadId,
      bootstrap: async (id) => void (await this.people.try('appliancesBootstrap', { id }, {}, carl)),
    });
  }

  /** Puts what a wave refers to into the store: environments, profiles, sources. */
  async stock({ environments, profiles, sources }: Inventory): Promise<void> {
    const { store } = this.capabilities;
    for (const environment of environments) await store.environments.put(environment);
    for (const profile of profiles) await store.profiles.put(profile);
    for (const source of sources) await store.sources.put(source);
  }

  /** How often the engine was thrown away. */
  get crashes(): number {
    return this.#engine.crashes;
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
    const { status } = this.wave(waveId);
    if (status === 'running' || status === 'attention') return false;
    const standing = this.durable.status(`wave-${waveId}`)?.runtimeStatus;
    return standing !== 'Running' && standing !== 'Pending';
  }

  /** Whether no orchestration runs. */
  isAtRest(): boolean {
    return this.durable.query({ runtimeStatus: ['Running', 'Pending'] }).instances.length === 0;
  }

  /** Until that holds and is on disk: what is visible in an engine may be lost with it. */
  async lasting(isTrue: () => boolean, what: string, withinMs: number): Promise<void> {
    do {
      await this.motion.until(isTrue, what, withinMs);
      await this.motion.quiet();
    } while (!isTrue());
  }

  /** Until somebody is asked about a failed step. */
  async question(): Promise<void> {
    await this.until(() => this.openQuestions().length > 0, 'a question');
  }

  /** Until the change feed has told everything that is written. */
  async told(): Promise<void> {
    while (!this.hasTold()) await nextTurn();
  }

  hasTold(): boolean {
    return this.#telling === 0 && this.#untold.length === 0;
  }

  /** The app's timers from now on: deltas, watchdog, and the appliances' heartbeats. */
  keepTime(every = everyMs): void {
    this.motion.later(every, async () => {
      await this.appliances.beat();
      await deltaSyncs(this.capabilities);
      await watchdog(this.capabilities, this.#orchestrations);
      this.keepTime(every);
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

  #changed(change: Change): void {
    this.changes.push(change.what);
    this.monitor.changed(change, this.#operation.getStore());
    this.appliances.flush();
  }

  #begins(instanceId: string, parentId: string | undefined): void {
    if (parentId === undefined || parentId === '') return;
    const known = this.children.get(parentId) ?? new Set();
    this.children.set(parentId, known.add(instanceId));
  }

  #sent(command: Command): void {
    this.monitor.sent(command);
    this.appliances.receive(command);
  }

  #written(document: Written): void {
    this.note(document);
    if (document.kind === 'state') this.#know(document as unknown as WorkloadDocument);
    this.monitor.written(document);
    this.onWritten(document);
    this.#untold.push(document);
    if (this.#untold.length === 1) this.#tellSoon(document);
    const gate = document as unknown as GateDocument;
    if (gate.kind === 'gate') this.handiwork.reads(gate);
    if (gate.kind === 'gate' && gate.status === 'open' && gate.decisions.length === 0)
      this.motion.aside(this.people.decide(gate));
  }

  #know(workload: WorkloadDocument): void {
    if (!this.#plans.know(workload)) return;
    const { settings, target } = workload.plan;
    this.azure.testSubnets.add(settings.placement.testSubnetId);
    for (const { from } of settings.uat.testers) this.azure.testers.add(from);
    // Files hold what the plan's checks look for: whether they really do, no rehearsal can say.
    for (const check of [...settings.uat.checks, ...settings.validation.checks])
      for (const machine of check.kind === 'file' ? [target.name, resourceNames.testMachine(target.name)] : [])
        if (check.kind === 'file') {
          const key = `${machine} ${check.path}`;
          this.azure.files.set(key, `${this.azure.files.get(key) ?? ''}\n${check.contains ?? 'something'}`);
        }
  }

  /** What is written until then is told in one batch, so that nothing overtakes anything. */
  #tellSoon(first: Written): void {
    const { times, lateMs } = this.feed(first);
    if (times > 1) this.fed.twice++;
    if (lateMs > 0) this.fed.late++;
    if (lateMs > 0) this.motion.later(lateMs, () => this.#tell(times));
    else this.motion.aside(nextTurn().then(() => this.#tell(times)));
  }

  async #tell(times: number): Promise<void> {
    const documents = this.#untold.splice(0);
    this.#telling++;
    for (let time = 0; time < times; time++) await committed(documents, this.#orchestrations, this.capabilities.store);
    this.#telling--;
  }
}
