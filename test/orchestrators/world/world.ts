// The whole app's orchestrations on the real SDK and the local engine, around them a modelled world on virtual time.
// A test scripts what fails, who answers what and when, lets the world run, and looks at what became of it.
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { committed } from '../../../functions/changefeed/committed.ts';
import { deltaSyncs } from '../../../functions/timers/deltaSyncs.ts';
import { watchdog } from '../../../functions/timers/watchdog.ts';
import type { DurableManagement } from '../../../local/durable/client.ts';
import { DeterministicEngine } from '../../../local/durable/deterministic.ts';
import { loadApp } from '../../../local/host/app.ts';
import type { Registrations } from '../../../local/host/coreModule.ts';
import { Invoker } from '../../../local/host/invoke.ts';
import { HostLog } from '../../../local/host/log.ts';
import type { Capabilities } from '../../../shared/capabilities.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import type { GateDocument, WaveDocument } from '../../../shared/store/documents.ts';
import { createMemoryStore } from '../../../shared/store/memory.ts';
import { config } from '../../fakes/reach.ts';
import { stage } from '../fixtures/world/stage.ts';
import { FakeAppliances } from './appliances.ts';
import { FakeAzure } from './azure.ts';
import { WorldBus } from './bus.ts';
import { definitionOf, environment, planWave, startOfDay } from './definitions.ts';
import { FakeHosts } from './hosts.ts';
import { servingTwice } from './invariants.ts';
import { Mirror, type Written } from './mirror.ts';
import { Motion } from './motion.ts';
import { orchestrationsOn } from './orchestrations.ts';
import { People } from './people.ts';
import { type Input, Script } from './script.ts';

const everyMs = 300_000;

export class World extends Mirror {
  readonly motion: Motion;
  readonly script = new Script();
  readonly people: People;
  readonly azure: FakeAzure;
  readonly hosts: FakeHosts;
  readonly bus: WorldBus;
  readonly appliances: FakeAppliances;
  readonly capabilities: Capabilities;
  readonly durable: DurableManagement;
  /** Everything that was really changed in the world, in order. */
  readonly changes: string[] = [];
  readonly violations: string[] = [];
  readonly #engine: DeterministicEngine;
  readonly #times: number;
  readonly #untold: Written[] = [];
  #telling = 0;

  private constructor(registrations: Registrations, times: number, start: string) {
    super();
    this.#times = times;
    this.motion = new Motion(start);
    this.motion.summary = () => this.#summary();
    const { clock } = this.motion;
    const changed = (change: string) => this.#changed(change);
    const azure = new FakeAzure(clock, changed);
    const hosts = new FakeHosts(changed);
    const bus = new WorldBus((command) => this.appliances.receive(command));
    const store = createMemoryStore((_container, document) => this.#written(document));
    const now = () => clock.iso();
    this.capabilities = { config, now, store, bus, azure, hosts };
    const later = this.motion.later.bind(this.motion);
    this.appliances = new FakeAppliances({ store, now, azure, hosts, later, deliveries: times });
    azure.onAppliance = () => this.appliances.start(applianceIds.target(environment.id));
    hosts.onWorker = (name) => this.appliances.start(name);
    hosts.onAgent = (sourceId) => this.appliances.start(applianceIds.agent(sourceId));
    [this.azure, this.hosts, this.bus] = [azure, hosts, bus];
    stage.perform = (activity, input) => this.script.perform(activity, input as Input, this.capabilities, times);
    this.#engine = this.#startEngine(registrations);
    this.durable = this.#engine.durable;
    this.people = new People({ capabilities: this.capabilities, orchestrations: orchestrationsOn(this.durable) }, this);
  }

  /** Sets up a world with one planned wave. `times`: how often every activity runs and every message arrives. */
  static async open(
    options: { change?: Parameters<typeof definitionOf>[0]; times?: number; start?: string } = {},
  ): Promise<World> {
    const registrations = await loadApp(join(import.meta.dirname, '../fixtures/world'));
    const world = new World(registrations, options.times ?? 1, options.start ?? startOfDay);
    await planWave(world.capabilities, definitionOf(options.change));
    for (const record of ['db-01', 'web-01'])
      world.azure.records.set(`A ${record}`, { ttlSeconds: 300, values: ['10.9.9.9'] });
    return world;
  }

  async close(): Promise<void> {
    await this.motion.settle();
    await this.#engine.stop();
  }

  start(): Promise<unknown> {
    return this.people.start();
  }

  until(isTrue: () => unknown, what?: string): Promise<void> {
    return this.motion.until(isTrue, what);
  }

  /** Until the wave's orchestration has ended. */
  async ended(): Promise<WaveDocument> {
    await this.until(() => this.hasEnded(), 'the wave ends');
    const { runtimeStatus, output } = this.durable.status('wave-w1') ?? {};
    if (runtimeStatus !== 'Completed') throw new Error(`the wave is ${runtimeStatus}: ${JSON.stringify(output)}`);
    return this.wave();
  }

  hasEnded(): boolean {
    const status = this.durable.status('wave-w1')?.runtimeStatus;
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

  #startEngine(registrations: Registrations): DeterministicEngine {
    const { functions } = registrations;
    const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
    return new DeterministicEngine({
      clock: this.motion.clock,
      alwaysReplay: true,
      has: (_kind, name) => functions.has(name),
      invoke: ({ name, json }) => {
        const target = functions.get(name);
        if (!target) throw new Error(`no function ${name}`);
        return this.motion.track(invoker.invoke(target, { data: { json } }).then(({ result }) => result));
      },
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
    this.violations.push(...servingTwice(this.azure, this.hosts));
    this.appliances.flush();
  }

  #written(document: Written): void {
    this.note(document);
    this.#untold.push(document);
    if (this.#untold.length === 1) this.motion.aside(nextTurn().then(() => this.#tell()));
    const gate = document as unknown as GateDocument;
    if (gate.kind === 'gate' && gate.status === 'open' && gate.decisions.length === 0)
      this.motion.aside(this.people.decide(gate));
  }

  async #tell(): Promise<void> {
    const documents = this.#untold.splice(0);
    this.#telling++;
    const orchestrations = orchestrationsOn(this.durable);
    for (let time = 0; time < this.#times; time++) await committed(documents, orchestrations);
    this.#telling--;
  }
}
