// Modelled appliances: they answer each command with the fitting events, if the machine that they live on lets them. As
// the real one does they remember what they have carried out, run one sync per workload, and go on with it after a restart.

import { ownEvents } from '../../functions/servicebus/ownEvents.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { reported } from '../../shared/lifecycle/events.ts';
import { applianceIds, type WorkloadPlan } from '../../shared/model/plan.ts';
import type { Probe, ProbeResult } from '../../shared/model/probe.ts';
import type { Command, CommandData } from '../../shared/protocol/commands.ts';
import type {
  ApplianceEvent,
  ApplianceEventData,
  ApplianceEventType,
  ServiceState,
} from '../../shared/protocol/events.ts';
import type { ModelledAzure } from './azure.ts';
import type { Changed } from './change.ts';
import type { ModelledHosts, ModelledMachine } from './hosts.ts';
import type { Pace } from './pace.ts';

type SyncStart = Extract<Command, { type: 'landfall.sync.start' }>;
type Push = Extract<Command, { type: 'landfall.agent.install' | 'landfall.agent.remove' }>;
interface Running {
  command: SyncStart;
  sourceId: string;
  startedAt: string;
  resumed: boolean;
}
const digest = '0'.repeat(64);

interface Around {
  store: Capabilities['store'];
  now(): string;
  azure: ModelledAzure;
  hosts: ModelledHosts;
  pace: Pace;
  changed: Changed;
  found(finding: string): void;
  later(milliseconds: number, work: () => Promise<void>): void;
}

/** What waits for its predecessor, as at the real one: no command overtakes the one that it undoes. */
function turnOf({ type, data }: Command): string | undefined {
  switch (type) {
    case 'landfall.services.stop':
    case 'landfall.services.start':
      return `${data.waveId}/${data.workloadId}`;
    case 'landfall.agent.install':
    case 'landfall.agent.remove':
      return data.agentId;
    default:
      return undefined;
  }
}

export class ModelledAppliances {
  /** Commands that changed something, by operation id, with how often. */
  readonly carriedOut = new Map<string, number>();
  /** How many events came twice, or after a later one, and how many commands waited for who was away. */
  readonly heard = { twice: 0, overtaken: 0, waited: 0 };
  /** Commands that are taken and never answered. */
  ignores: (command: Command) => boolean = () => false;
  failsCheck: (name: string, command: Command) => boolean = () => false;
  /** Whether a probe finds a way to a clone although every rule forbids it. */
  failsProbe: (probe: Probe) => boolean = () => false;
  failsSync: (kind: string, workloadId: string) => boolean = () => false;
  /** Whether services refuse to stop or start. */
  failsServices: (command: Command) => boolean = () => false;
  /** Why the target appliance cannot put or remove an agent, as a code of the real one. */
  refusesPush: (command: Push) => string | undefined = () => undefined;
  /** Bytes that a sync finds changed on one disk. */
  changes: (kind: string, turn: number, sizeBytes: number, disk: string) => number = (kind, turn) =>
    kind === 'final' && turn > 1 ? 0 : 4096;
  /** How late each delivery of an event is, in milliseconds: one number per delivery. */
  deliveries: () => readonly number[] = () => [0];
  /** How long a command takes; its pace, unless a story says otherwise. */
  takesMs: (command: Command) => number;
  readonly #around: Around;
  readonly #down = new Map<string, number>();
  #held: Command[] = [];
  readonly #running = new Map<string, Running>();
  readonly #ended = new Map<string, () => Promise<void>>();
  readonly #finals = new Map<string, number>();
  readonly #sequences = new Map<string, number>();
  readonly #latest = new Map<string, number>();
  /** When the last command of a turn is done, epoch milliseconds. */
  readonly #doneAt = new Map<string, number>();
  #events = 0;

  constructor(around: Around) {
    this.#around = around;
    this.takesMs = (command) => around.pace.command(command);
  }

  receive(command: Command): void {
    if (command.type === 'landfall.check.run') this.#around.later(0, () => this.#requireProof(command.data));
    this.#queue(command);
  }

  #queue(command: Command): void {
    if (this.ignores(command)) return;
    if (!this.#isUp(command.aud)) {
      this.heard.waited++;
      this.#held.push(command);
    } else this.#around.later(this.#untilTaken(command), () => this.#take(command));
  }

  /** How long until it is done, in its turn. */
  #untilTaken(command: Command): number {
    const takesMs = this.takesMs(command);
    const turn = turnOf(command);
    if (turn === undefined) return takesMs;
    const now = Date.parse(this.#around.now());
    const doneAt = Math.max(now, this.#doneAt.get(turn) ?? 0) + takesMs;
    this.#doneAt.set(turn, doneAt);
    return doneAt - now;
  }

  /** What waited for its appliance to come back. */
  flush(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const command of held) this.#queue(command);
  }

  /** An appliance's process ends and comes back after a while: what it had in hand begins again, its syncs go on. */
  restart(applianceId: string, afterMs: number): void {
    const turn = (this.#down.get(applianceId) ?? 0) + 1;
    this.#down.set(applianceId, turn);
    this.#around.later(afterMs, async () => {
      if (this.#down.get(applianceId) === turn) this.#down.delete(applianceId);
      this.flush();
      for (const running of this.#running.values())
        if (running.command.aud === applianceId) {
          running.resumed = true;
          this.#work(running);
        }
    });
  }

  /** Somebody ends a workload's sync where it runs: nothing is heard of it any more. */
  stopSync({ waveId, workloadId, source }: Pick<WorkloadPlan, 'waveId' | 'workloadId' | 'source'>): void {
    const subject = `${waveId}/${workloadId}`;
    if (this.#running.has(subject)) this.#endSync(subject, source.id);
  }

  /** The syncs that read one source at the moment. */
  syncing(sourceId: string): string[] {
    return [...this.#running.values()]
      .filter((running) => running.sourceId === sourceId)
      .map(({ command }) => command.data.syncId);
  }

  /** A heartbeat of every appliance that lives. */
  async beat(): Promise<void> {
    for (const { applianceId, status } of await this.#around.store.appliances.list())
      if (status !== 'revoked' && status !== 'awaited' && this.#isUp(applianceId)) await this.#beat(applianceId);
  }

  /** An agent's machine has come up: it beats at once, if it is connected. */
  async boots(applianceId: string): Promise<void> {
    if (this.#isUp(applianceId)) await this.#beat(applianceId);
  }

  async #beat(applianceId: string): Promise<void> {
    const data = { version: '1.0', bootId: 'b', kind: 'target' as const, uptimeSeconds: 1, runningSyncs: [] };
    await this.#emit(applianceId, applianceId, 'landfall.appliance.heartbeat', data);
  }

  /** Started with a bootstrap: comes up, enrols, beats. */
  start(applianceId: string, kind: Parameters<Pace['start']>[0]): void {
    this.#around.later(this.#around.pace.start(kind), async () => {
      const { store } = this.#around;
      if (!this.#isUp(applianceId) || (await store.appliances.get(applianceId)) === undefined) return;
      await store.appliances.change(applianceId, ({ tokenHash: _used, ...appliance }) => ({
        ...appliance,
        status: 'enrolled',
      }));
      await this.#beat(applianceId);
      this.flush();
    });
  }

  #isUp(applianceId: string): boolean {
    if (this.#down.has(applianceId)) return false;
    const { hosts, azure } = this.#around;
    if (applianceId.startsWith('worker-')) return hosts.workers.has(applianceId);
    const home = hosts.machines.get(applianceId.slice('agent-'.length));
    if (home !== undefined && applianceIds.agent(home.source.id) === applianceId)
      return home.power === 'on' && home.nicConnected && home.agent !== undefined;
    return azure.machine(`lf-${applianceId}`) !== undefined;
  }

  async #take(command: Command): Promise<void> {
    if (!this.#isUp(command.aud)) return void this.#held.push(command);
    const { aud, operationId } = command;
    const ended = this.#ended.get(operationId);
    if (ended !== undefined) return ended();
    if (command.type === 'landfall.worker.verify') {
      const results = command.data.disks
        .slice(0, 200)
        .map(({ diskId }) => ({ name: diskId, passed: true, detail: '' }));
      return this.#answer(command, () => this.#emit(aud, aud, 'landfall.worker.verified', { results }, operationId));
    }
    const { waveId, workloadId } = command.data;
    const subject = `${waveId}/${workloadId}`;
    const machine = await this.#machineOf(waveId, workloadId);
    switch (command.type) {
      case 'landfall.source.describe': {
        const disks = machine.source.disks.map(({ id, sizeBytes }) => ({ id, sizeBytes, readable: true, detail: '' }));
        const data = { hostName: machine.source.hostName, disks, services: states(machine) };
        return this.#answer(command, () => this.#emit(aud, subject, 'landfall.source.described', data, operationId));
      }
      case 'landfall.services.stop':
      case 'landfall.services.start': {
        if (this.failsServices(command)) {
          const reason = { code: 'refused', message: 'The service does not obey.', suggestion: 'Look at it.' };
          const data = { services: states(machine), ...reason };
          return this.#answer(command, () => this.#emit(aud, subject, 'landfall.services.failed', data, operationId));
        }
        this.#count(operationId);
        if (command.type === 'landfall.services.stop') this.#stop(machine, command.data.services);
        else this.#start(machine, command.data.services);
        const type =
          command.type === 'landfall.services.stop' ? 'landfall.services.stopped' : 'landfall.services.started';
        const data = { services: states(machine) };
        return this.#answer(command, () => this.#emit(aud, subject, type, data, operationId));
      }
      case 'landfall.agent.install':
      case 'landfall.agent.remove':
        return this.#push(command, machine, subject);
      case 'landfall.probe.run': {
        const results = command.data.probes.map((probe) => this.#probe(probe));
        return this.#answer(command, () =>
          this.#emit(aud, subject, 'landfall.probe.completed', { results }, operationId),
        );
      }
      case 'landfall.check.run': {
        const results = command.data.checks.map(({ name }) => ({
          name,
          passed: !this.failsCheck(name, command),
          detail: '',
        }));
        return this.#answer(command, () =>
          this.#emit(aud, subject, 'landfall.check.completed', { results }, operationId),
        );
      }
      case 'landfall.sync.start':
        return this.#sync(command, machine);
      case 'landfall.sync.cancel':
        if (this.#running.get(subject)?.command.data.syncId === command.data.syncId)
          this.#endSync(subject, machine.source.id);
    }
  }

  /** Puts an agent onto a machine that is on and connected, or takes it away; or says why not. */
  async #push(command: Push, machine: ModelledMachine, subject: string): Promise<void> {
    const { aud, operationId, data, type } = command;
    const { agentId } = data;
    const problem =
      this.refusesPush(command) ?? (machine.power === 'on' && machine.nicConnected ? undefined : 'sshNoRoute');
    if (problem !== undefined) {
      const reason = { code: problem, message: `${data.ssh.host}: ${problem}`, suggestion: 'Look at the machine.' };
      const failed = { agentId, ...reason };
      return this.#answer(command, () => this.#emit(aud, subject, 'landfall.agent.failed', failed, operationId));
    }
    this.#count(operationId);
    const host = this.#around.hosts.machineHost(machine.source.id);
    if (type === 'landfall.agent.remove') {
      const wasThere = await host.agentInstalled();
      await host.removeAgent();
      const removed = { agentId, wasThere };
      return this.#answer(command, () => this.#emit(aud, subject, 'landfall.agent.removed', removed, operationId));
    }
    await host.installAgent('over SSH');
    const installed = { agentId, version: '1.0', sha256: digest, node: '/usr/bin/node', changed: true };
    return this.#answer(command, () => this.#emit(aud, subject, 'landfall.agent.installed', installed, operationId));
  }

  /** UAT starts no test on a clone that is not proven isolated: what counts is when it is told to, not when it does it. */
  async #requireProof({ waveId, workloadId }: { waveId: string; workloadId: string }): Promise<void> {
    const state = (await this.#around.store.workloads.get(waveId, workloadId))?.state;
    const { isolated = false, when = 'beforeBoot' } = state?.isolation?.proof ?? {};
    if (state?.phase === 'testing' && (!isolated || when === 'beforeBoot'))
      this.#around.found(`${waveId}/${workloadId} is tested although nothing proves that its clone is isolated`);
  }

  /** What is probed passes or not by the modelled rules, and names lead where the modelled records do. */
  #probe(probe: Probe): ProbeResult {
    const { name } = probe;
    const { azure } = this.#around;
    if (probe.kind === 'reach') {
      const machine = azure.machineAt(probe.host);
      const passes = this.failsProbe(probe) || (machine !== undefined && azure.reaches('Inbound', machine));
      return { name, seen: passes ? 'open' : 'silent', answers: [], detail: '' };
    }
    return { name, seen: 'answers', answers: azure.leads.get(probe.question) ?? [], detail: '' };
  }

  #stop({ source }: ModelledMachine, services: CommandData<'landfall.services.stop'>['services']): void {
    const { hosts } = this.#around;
    for (const { name, startMode } of services) {
      if (startMode !== undefined) hosts.setStartMode(source.id, name, 'manual');
      hosts.setService(source.id, name, 'stopped');
    }
  }

  #start({ source }: ModelledMachine, services: CommandData<'landfall.services.start'>['services']): void {
    const { hosts } = this.#around;
    for (const { name, before } of services) {
      if (before !== undefined) hosts.setStartMode(source.id, name, before.startMode);
      if (before === undefined || before.state === 'running') hosts.setService(source.id, name, 'running');
    }
  }

  #count(operationId: string): void {
    const times = (this.carriedOut.get(operationId) ?? 0) + 1;
    this.carriedOut.set(operationId, times);
    if (times > 1) this.#around.found(`${operationId} was carried out ${times} times`);
  }

  /** Answers, and remembers the answer for a command that comes again. */
  #answer({ operationId }: Command, emit: () => Promise<void>): Promise<void> {
    this.#ended.set(operationId, emit);
    return emit();
  }

  async #sync(command: SyncStart, machine: ModelledMachine): Promise<void> {
    const { aud, operationId, data } = command;
    const { waveId, workloadId, syncId, kind } = data;
    const subject = `${waveId}/${workloadId}`;
    const sourceId = machine.source.id;
    const other = this.#running.get(subject);
    if (other?.command.operationId === operationId) return;
    if (other !== undefined) {
      const was = other.command;
      const reason = { code: 'superseded', message: 'A newer sync took its place.', suggestion: 'Look at that one.' };
      const failed = { syncId: was.data.syncId, kind: was.data.kind, ...reason };
      this.#endSync(subject, sourceId);
      await this.#answer(was, () => this.#emit(aud, subject, 'landfall.sync.failed', failed, was.operationId));
    }
    if (machine.power === 'off' && aud === applianceIds.agent(sourceId))
      this.#around.found(`${subject}: its agent starts a ${kind} sync although the source is off`);
    const running: Running = { command, sourceId, startedAt: this.#around.now(), resumed: false };
    this.#running.set(subject, running);
    this.#around.changed({ what: `${sourceId} syncs ${syncId}`, kind: 'sync', id: sourceId });
    await this.#emit(aud, subject, 'landfall.sync.started', { syncId, kind }, operationId);
    this.#work(running);
  }

  #endSync(subject: string, sourceId: string): void {
    const syncId = this.#running.get(subject)?.command.data.syncId;
    this.#running.delete(subject);
    this.#around.changed({ what: `${sourceId} no longer syncs ${syncId}`, kind: 'sync', id: sourceId });
  }

  /** Copies, and completes if nothing has come in between. */
  #work(running: Running): void {
    const { command, sourceId } = running;
    const { aud, data } = command;
    const { waveId, workloadId, kind, disks } = data;
    const subject = `${waveId}/${workloadId}`;
    const turn = (kind === 'final' ? (this.#finals.get(subject) ?? 0) : 0) + 1;
    const changed = new Map(
      disks.map(({ diskId, sizeBytes, blobName }) => [
        diskId,
        Math.min(sizeBytes, this.changes(kind, turn, sizeBytes, blobName)),
      ]),
    );
    const total = disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const bytes = kind === 'initial' ? total : [...changed.values()].reduce((sum, each) => sum + each, 0);
    const again = running.resumed;
    this.#around.later(this.#around.pace.sync(kind, bytes), async () => {
      if (this.#running.get(subject) !== running || running.resumed !== again || !this.#isUp(aud)) return;
      this.#endSync(subject, sourceId);
      await this.#complete(running, changed, turn);
    });
  }

  async #complete({ command, startedAt, resumed }: Running, changed: Map<string, number>, turn: number): Promise<void> {
    const { aud, operationId, data } = command;
    const { waveId, workloadId, syncId, kind, disks } = data;
    const subject = `${waveId}/${workloadId}`;
    this.#count(operationId);
    if (this.failsSync(kind, workloadId)) {
      const reason = { code: 'disk', message: 'the disk cannot be read', suggestion: 'Look at it.' };
      const failed = { syncId, kind, ...reason };
      return this.#answer(command, () => this.#emit(aud, subject, 'landfall.sync.failed', failed, operationId));
    }
    this.#finals.set(subject, kind === 'final' ? turn : 0);
    for (const { blobName } of disks) this.#around.azure.snapshots.add(`${blobName}?${syncId}`);
    const completed: ApplianceEventData<'landfall.sync.completed'> = {
      syncId,
      kind,
      startedAt,
      disks: disks.map(({ diskId, sizeBytes }) => ({
        ...{ diskId, sizeBytes, readBytes: sizeBytes, changedBytes: changed.get(diskId) ?? 0, root: digest },
        snapshot: syncId,
      })),
      root: digest,
      verified: { mode: 'written', bytes: 0 },
      consistency: 'crash',
      resumed,
    };
    return this.#answer(command, () => this.#emit(aud, subject, 'landfall.sync.completed', completed, operationId));
  }

  async #machineOf(waveId: string, workloadId: string): Promise<ModelledMachine> {
    const workload = await this.#around.store.workloads.get(waveId, workloadId);
    return this.#around.hosts.machine(workload?.plan.source.id ?? workloadId);
  }

  async #emit<T extends ApplianceEventType>(
    source: string,
    subject: string,
    type: T,
    data: ApplianceEventData<T>,
    operationid?: string,
  ): Promise<void> {
    const sequence = this.#sequences.get(`${source} ${subject}`) ?? 0;
    this.#sequences.set(`${source} ${subject}`, sequence + 1);
    const event = {
      ...{ specversion: '1.0', id: `event-${this.#events++}`, source, subject, time: this.#around.now(), sequence },
      ...{ datacontenttype: 'application/json', type, data },
      ...(operationid === undefined ? {} : { operationid }),
    } as ApplianceEvent;
    for (const late of this.deliveries())
      if (late === 0) await this.#deliver(event);
      else this.#around.later(late, () => this.#deliver(event));
  }

  async #deliver(event: ApplianceEvent): Promise<void> {
    const { source, subject } = event;
    const [waveId = '', workloadId] = subject.split('/');
    if (workloadId === undefined) await ownEvents(this.#around, source, [event]);
    else {
      const { store, now } = this.#around;
      const { duplicates } = await store.workloads.append(waveId, workloadId, [reported(event, now())]);
      this.heard.twice += duplicates.length;
      const latest = this.#latest.get(`${source} ${subject}`) ?? -1;
      if (event.sequence < latest) this.heard.overtaken++;
      this.#latest.set(`${source} ${subject}`, Math.max(latest, event.sequence));
    }
  }
}

function states({ services, startModes }: ModelledMachine): ServiceState[] {
  return [...services].map(([name, state]) => {
    const startMode = startModes.get(name);
    return { name, state, ...(startMode && { startMode }), detail: '' };
  });
}
