// The whole app's orchestrations on the real SDK and the local engine, around them a modelled world on virtual time.
// A test scripts what fails, who answers what and when, lets the world run, and looks at what became of it.
import { join } from 'node:path';
import type { HttpRequest } from '@azure/functions';
import { committed } from '../../../functions/changefeed/committed.ts';
import { routes } from '../../../functions/http/routes.ts';
import type { Orchestrations } from '../../../functions/orchestrations.ts';
import { deltaSyncs } from '../../../functions/timers/deltaSyncs.ts';
import { watchdog } from '../../../functions/timers/watchdog.ts';
import { DurableManagement, DurableRequestError } from '../../../local/durable/client.ts';
import { Engine } from '../../../local/durable/engine.ts';
import { loadApp } from '../../../local/host/app.ts';
import { Invoker } from '../../../local/host/invoke.ts';
import { HostLog } from '../../../local/host/log.ts';
import { openDatabase } from '../../../local/sqlite.ts';
import type { activities } from '../../../orchestrators/all.ts';
import type { Capabilities } from '../../../shared/capabilities.ts';
import type { Failure } from '../../../shared/errors.ts';
import { hashOf } from '../../../shared/hash.ts';
import type { WorkloadState } from '../../../shared/lifecycle/state.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import type { WaveDefinition } from '../../../shared/model/wave.ts';
import type { Person } from '../../../shared/policy/people.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import type {
  AttentionDocument,
  GateDocument,
  WaveDocument,
  WorkloadDocument,
} from '../../../shared/store/documents.ts';
import { createMemoryStore } from '../../../shared/store/memory.ts';
import { profile } from '../../fakes/definitions.ts';
import { config } from '../../fakes/reach.ts';
import { stage } from '../fixtures/world/stage.ts';
import { FakeAppliances } from './appliances.ts';
import { FakeAzure } from './azure.ts';
import { WorldBus } from './bus.ts';
import { VirtualClock } from './clock.ts';
import { definitionOf, environment, sources, startOfDay } from './definitions.ts';
import { FakeHosts } from './hosts.ts';
import { servingTwice } from './invariants.ts';

type Activity = (typeof activities)[number];
type Input = Record<string, unknown>;
interface Cue {
  activity: string;
  when: 'before' | 'after';
  matches: (input: Input) => boolean;
  times: number;
  does: () => Promise<{ failure: Failure } | undefined>;
}
export const ada: Person = { subject: 'ada', name: 'Ada', roles: ['planner', 'operator'] };
export const carl: Person = { subject: 'carl', name: 'Carl', roles: ['operator', 'approver'] };
const everyMs = 300_000;

export class World {
  readonly clock: VirtualClock;
  readonly azure: FakeAzure;
  readonly hosts: FakeHosts;
  readonly bus: WorldBus;
  readonly appliances: FakeAppliances;
  readonly capabilities: Capabilities;
  readonly durable: DurableManagement;
  /** Everything that was really changed in the world, in order. */
  readonly changes: string[] = [];
  readonly violations: string[] = [];
  /** Every activity that was called, in order, with its input. */
  readonly calls: { name: string; input: Input; at: number }[] = [];
  /** What people do at a gate: nothing, if absent. */
  atGate: Partial<Record<GateDocument['name'], 'approve' | 'reject'>> = {
    uat: 'approve',
    cutover: 'approve',
    commit: 'approve',
  };
  readonly #engine: Engine;
  readonly #documents = new Map<string, { kind: string }>();
  readonly #cues: Cue[] = [];
  readonly #times: number;
  readonly #untold: unknown[] = [];
  #bustle = 0;
  #pending = 0;
  #telling = 0;
  #trouble: unknown;

  private constructor(engine: (world: World) => Engine, { times, start }: { times: number; start: string }) {
    this.#times = times;
    this.clock = new VirtualClock(start);
    const changed = (change: string) => this.#worldChanged(change);
    this.azure = new FakeAzure(this.clock, changed);
    this.hosts = new FakeHosts(changed);
    this.bus = new WorldBus((command) => this.appliances.receive(command));
    const store = createMemoryStore((_container, document) => this.#written(document));
    const { azure, hosts, bus } = this;
    const now = () => this.clock.iso();
    this.capabilities = { config, now, store, bus, azure, hosts };
    const later = (milliseconds: number, work: () => Promise<void>) =>
      void this.clock.at(this.clock.now() + milliseconds, () => this.#aside(work()));
    this.appliances = new FakeAppliances({ store, now, azure, hosts, later, deliveries: times });
    this.azure.onAppliance = () => this.appliances.start(applianceIds.target(environment.id));
    this.hosts.onWorker = (name) => this.appliances.start(name);
    this.hosts.onAgent = (sourceId) => this.appliances.start(applianceIds.agent(sourceId));
    stage.perform = (activity, input) => this.#perform(activity, input as Input);
    this.#engine = engine(this);
    this.durable = new DurableManagement(this.#engine);
    this.#engine.start();
  }

  /** Sets up a world with one planned wave. `times`: how often every activity runs and every message arrives. */
  static async open(
    options: { change?: Parameters<typeof definitionOf>[0]; times?: number; start?: string } = {},
  ): Promise<World> {
    const registrations = await loadApp(join(import.meta.dirname, '../fixtures/world'));
    const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
    const engine = (world: World): Engine =>
      new Engine({
        database: openDatabase(':memory:'),
        clock: world.clock,
        has: (_kind, name) => registrations.functions.has(name),
        invoke: async ({ name, json }) => {
          const target = registrations.functions.get(name);
          if (!target) throw new Error(`no function ${name}`);
          return world.#track(invoker.invoke(target, { data: { json } }).then(({ result }) => result));
        },
      });
    const { times = 1, start = startOfDay } = options;
    const world = new World(engine, { times, start });
    await world.#plan(definitionOf(options.change));
    return world;
  }

  async #plan(definition: WaveDefinition): Promise<void> {
    const { store, now } = this.capabilities;
    await store.environments.put(environment);
    await store.profiles.put(profile);
    const resolved = resolvePlan({ definition, environment, profile, sources, now: now() }, hashOf);
    if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
    const { plan } = resolved;
    const groups = Object.fromEntries(
      plan.groups.map(({ id }) => [id, { status: 'planned' as const, updatedAt: now() }]),
    );
    const by = { createdBy: 'ada', createdAt: now() };
    await store.waves.create({
      id: 'wave',
      kind: 'wave',
      waveId: plan.waveId,
      definition,
      plan,
      status: 'planned',
      attempt: 0,
      groups,
      ...by,
    });
    for (const record of ['db-01', 'web-01'])
      this.azure.records.set(`A ${record}`, { ttlSeconds: 300, values: ['10.9.9.9'] });
  }

  async close(): Promise<void> {
    for (let turn = 0; this.#pending > 0 && turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    await this.#engine.stop(1000);
  }

  // -- what people do -------------------------------------------------------------------------------------------------

  /** Calls a route of the HTTP API as a person whose token was accepted. */
  async call(name: string, params: Record<string, string>, body: unknown, person: Person): Promise<unknown> {
    const route = routes.find((each) => each.name === name);
    if (route === undefined) throw new Error(`no route ${name}`);
    const headers = { 'content-type': 'application/json' };
    const request = new Request('http://localhost/', { method: 'POST', headers, body: JSON.stringify(body) });
    const { capabilities } = this;
    const call = {
      capabilities,
      orchestrations: this.#orchestrations(),
      request: request as unknown as HttpRequest,
      person,
    };
    const answer = await route.handle({ ...call, param: (param) => params[param] ?? '' });
    return JSON.parse(String(answer.body)) as unknown;
  }

  start(): Promise<unknown> {
    return this.call('wavesStart', { id: 'w1' }, {}, ada);
  }

  rollBack(to: 'replicating' | 'withdrawn' = 'replicating', group?: string): Promise<unknown> {
    const asked = { to, reason: 'told so', acceptDataLoss: true, ...(group === undefined ? {} : { group }) };
    return this.call('wavesRollback', { id: 'w1' }, asked, carl);
  }

  cancel(): Promise<unknown> {
    return this.call('wavesCancel', { id: 'w1' }, { reason: 'told so' }, carl);
  }

  answer(choice: 'retry' | 'rollback'): Promise<unknown> {
    const [open] = this.openQuestions();
    if (open === undefined) throw new Error('no question is open');
    const asked = { choice, reason: 'told so', acceptDataLoss: true };
    return this.call('attentionsAnswer', { id: 'w1', attentionId: open.id }, asked, carl);
  }

  #decide({ id, name }: GateDocument): void {
    const decision = this.atGate[name];
    if (decision === undefined) return;
    const [route, body] =
      decision === 'approve' ? ['gatesApprove', {}] : ['gatesReject', { comment: 'no', acceptDataLoss: true }];
    this.#aside(this.call(route, { id: 'w1', gateId: id }, body, carl));
  }

  // -- what the script says -------------------------------------------------------------------------------------------

  #cue(activity: string, cue: Partial<Cue> & Pick<Cue, 'when' | 'does'>): void {
    this.#cues.push({ activity, matches: () => true, times: 1, ...cue });
  }

  /** Lets an activity fail some times; `after`: its effect has happened and only its answer is lost. */
  fail(activity: string, failure: Failure, cue: Partial<Pick<Cue, 'matches' | 'times' | 'when'>> = {}): void {
    this.#cue(activity, { when: 'before', ...cue, does: async () => ({ failure }) });
  }

  /** Does something once right after (or before) an activity's effect. */
  once(activity: string, does: () => unknown, cue: Partial<Pick<Cue, 'matches' | 'when'>> = {}): void {
    this.#cue(activity, { when: 'after', ...cue, does: async () => void (await does()) });
  }

  async #perform(activity: Activity, input: Input): Promise<unknown> {
    this.calls.push({ name: activity.name, input, at: this.clock.now() });
    const failed = await this.#play(activity.name, 'before', input);
    if (failed !== undefined) return failed;
    let answer: unknown;
    for (let time = 0; time < this.#times; time++) answer = await activity.handle(this.capabilities, input);
    return (await this.#play(activity.name, 'after', input)) ?? answer;
  }

  async #play(activity: string, when: Cue['when'], input: Input): Promise<{ failure: Failure } | undefined> {
    const cue = this.#cues.find(
      (each) =>
        (each.activity === '*' || each.activity === activity) &&
        each.when === when &&
        each.times > 0 &&
        each.matches(input),
    );
    if (cue === undefined) return undefined;
    cue.times--;
    return cue.does();
  }

  // -- how time passes ------------------------------------------------------------------------------------------------

  /** Lets everything happen, jumping over idle time, until something is true. */
  async until(isTrue: () => unknown, what = 'what was waited for'): Promise<void> {
    const end = this.clock.now() + 3 * 86_400_000;
    for (;;) {
      for (let quiet = 0; quiet < 5; ) {
        if (this.#trouble !== undefined) throw this.#trouble;
        if (isTrue()) return;
        const before = this.#bustle;
        await new Promise((resolve) => setImmediate(resolve));
        quiet = this.#bustle === before && this.#pending === 0 ? quiet + 1 : 0;
      }
      const { next } = this.clock;
      if (next === undefined || next > end) throw new Error(`never happened: ${what}\n${this.summary()}`);
      this.clock.jump();
    }
  }

  /** Lets a stretch of virtual time pass. */
  async pass(milliseconds: number): Promise<void> {
    let over = false;
    this.clock.at(this.clock.now() + milliseconds, () => {
      over = true;
    });
    await this.until(() => over);
  }

  /** Until the wave's orchestration has ended. */
  async ended(): Promise<WaveDocument> {
    const status = () => this.durable.status('wave-w1')?.runtimeStatus;
    await this.until(() => status() !== 'Running' && status() !== 'Pending', 'the wave ends');
    if (status() !== 'Completed')
      throw new Error(`the wave is ${status()}: ${JSON.stringify(this.durable.status('wave-w1')?.output)}`);
    return this.wave();
  }

  /** The app's timers: deltas, watchdog, and the appliances' heartbeats. */
  keepTime(): void {
    const tick = async (): Promise<void> => {
      await this.appliances.beat();
      await deltaSyncs(this.capabilities);
      await watchdog(this.capabilities);
      this.keepTime();
    };
    this.clock.at(this.clock.now() + everyMs, () => this.#aside(tick()));
  }

  /** Until the change feed has told everything that is written. */
  async told(): Promise<void> {
    while (this.#telling > 0 || this.#untold.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  // -- what is seen ---------------------------------------------------------------------------------------------------

  documents<T extends { kind: string }>(kind: string): T[] {
    return [...this.#documents.values()].filter((document) => document.kind === kind) as T[];
  }

  wave(): WaveDocument {
    const [wave] = this.documents<WaveDocument>('wave');
    if (wave === undefined) throw new Error('no wave');
    return wave;
  }

  state(workloadId: string): WorkloadState {
    const found = this.documents<WorkloadDocument>('state').find((each) => each.workloadId === workloadId);
    if (found === undefined) throw new Error(`no workload ${workloadId}`);
    return found.state;
  }

  phases(): Record<string, string> {
    return Object.fromEntries(
      this.documents<WorkloadDocument>('state').map(({ workloadId, state }) => [workloadId, state.phase]),
    );
  }

  openGates(): GateDocument[] {
    return this.documents<GateDocument>('gate').filter(({ status }) => status === 'open');
  }

  openQuestions(): AttentionDocument[] {
    return this.documents<AttentionDocument>('attention').filter(({ status }) => status === 'open');
  }

  /** Names of activities that were called, in order. */
  called(name: string, matches: (input: Input) => boolean = () => true): number {
    return this.calls.filter((call) => call.name === name && matches(call.input)).length;
  }

  summary(): string {
    const instances = this.durable
      .query({})
      .instances.map(({ instanceId, runtimeStatus }) => `${instanceId} ${runtimeStatus}`);
    const questions = this.openQuestions().map(
      ({ step, failure }) => `${step}: ${failure.message} ${failure.detail ?? ''}`,
    );
    const last = this.calls.slice(-8).map(({ name }) => name);
    return JSON.stringify(
      {
        at: this.clock.iso(),
        wave: this.wave().status,
        phases: this.phases(),
        instances,
        questions,
        gates: this.openGates().map(({ id }) => id),
        last,
      },
      null,
      1,
    );
  }

  // -- inside ---------------------------------------------------------------------------------------------------------

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending++;
    this.#bustle++;
    return work
      .catch((error: unknown) => {
        this.#trouble ??= error;
        throw error;
      })
      .finally(() => {
        this.#pending--;
        this.#bustle++;
      });
  }

  /** Work that nobody waits for: its failure ends the story at the next look. */
  #aside(work: Promise<unknown>): void {
    this.#track(work).catch(() => {});
  }

  #worldChanged(change: string): void {
    this.changes.push(change);
    this.violations.push(...servingTwice(this.azure, this.hosts));
    this.appliances.flush();
  }

  #written(document: { id: string; kind: string; waveId?: string; workloadId?: string }): void {
    const { id, kind, waveId = '', workloadId = '' } = document;
    this.#documents.set(`${waveId}/${workloadId}/${id}`, document);
    this.#untold.push(document);
    if (this.#untold.length === 1)
      this.#aside(new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#tell()));
    const gate = document as unknown as GateDocument;
    if (kind === 'gate' && gate.status === 'open' && gate.decisions.length === 0) this.#decide(gate);
  }

  async #tell(): Promise<void> {
    const documents = this.#untold.splice(0);
    this.#telling++;
    const nowhere = { publish: async () => {} };
    for (let time = 0; time < this.#times; time++)
      await committed(documents, this.#orchestrations(), nowhere, () => {});
    this.#telling--;
  }

  #orchestrations(): Orchestrations {
    const { durable } = this;
    return {
      start: async (name, instanceId, input) => void (await durable.start(name, { instanceId, input })),
      standing: async (instanceId) => {
        const status = durable.status(instanceId)?.runtimeStatus;
        if (status === undefined) return 'absent';
        return status === 'Running' || status === 'Pending' ? 'active' : 'ended';
      },
      raise: async (instanceId, event, data) => {
        try {
          await durable.raiseEvent(instanceId, event, data);
        } catch (error) {
          if (!(error instanceof DurableRequestError)) throw error;
        }
      },
    };
  }
}
