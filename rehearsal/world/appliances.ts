// Modelled appliances: they answer each command with the fitting events, if the machine that they live on lets them.

import { ownEvents } from '../../functions/servicebus/ownEvents.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { reported } from '../../shared/lifecycle/events.ts';
import { applianceIds } from '../../shared/model/plan.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { ApplianceEvent, ApplianceEventData, ApplianceEventType } from '../../shared/protocol/events.ts';
import type { ModelledAzure } from './azure.ts';
import type { ModelledHosts, ModelledMachine } from './hosts.ts';

type SyncStart = Extract<Command, { type: 'landfall.sync.start' }>;
const digest = '0'.repeat(64);
const answersAfterMs = 200;
const syncMs = 4000;

interface Around {
  store: Capabilities['store'];
  now(): string;
  azure: ModelledAzure;
  hosts: ModelledHosts;
  later(milliseconds: number, work: () => Promise<void>): void;
  /** How often each event is delivered. */
  deliveries: number;
}

export class ModelledAppliances {
  /** Operation ids that state was changed for, with how often. */
  readonly carriedOut = new Map<string, number>();
  readonly violations: string[] = [];
  /** Commands that are taken and never answered. */
  ignores: (command: Command) => boolean = () => false;
  /** How long a command takes to be carried out. */
  takesMs: (command: Command) => number = () => answersAfterMs;
  failsCheck: (name: string, command: Command) => boolean = () => false;
  failsSync: (kind: string, workloadId: string) => boolean = () => false;
  /** Bytes that a sync finds changed. */
  changes: (kind: string, turn: number) => number = (kind, turn) => (kind === 'final' && turn > 1 ? 0 : 4096);
  readonly #around: Around;
  #held: Command[] = [];
  readonly #running = new Map<string, string>();
  readonly #finals = new Map<string, number>();
  readonly #sequences = new Map<string, number>();
  #events = 0;

  constructor(around: Around) {
    this.#around = around;
  }

  receive(command: Command): void {
    if (this.ignores(command)) return;
    if (this.#isUp(command.aud)) this.#around.later(this.takesMs(command), () => this.#take(command));
    else this.#held.push(command);
  }

  /** What waited for its appliance to come back. */
  flush(): void {
    const held = this.#held;
    this.#held = [];
    for (const command of held) this.receive(command);
  }

  /** A heartbeat of every appliance that lives. */
  async beat(): Promise<void> {
    for (const { applianceId, status } of await this.#around.store.appliances.list())
      if (status !== 'revoked' && this.#isUp(applianceId)) await this.#beat(applianceId);
  }

  async #beat(applianceId: string): Promise<void> {
    const data = { version: '1.0', bootId: 'b', kind: 'target' as const, uptimeSeconds: 1, runningSyncs: [] };
    await this.#emit(applianceId, applianceId, 'landfall.appliance.heartbeat', data);
  }

  /** Started with a bootstrap: comes up, enrols, beats. */
  start(applianceId: string): void {
    this.#around.later(1500, async () => {
      const { store } = this.#around;
      if ((await store.appliances.get(applianceId)) === undefined) return;
      await store.appliances.change(applianceId, ({ tokenHash: _used, ...appliance }) => ({
        ...appliance,
        status: 'enrolled',
      }));
      await this.#beat(applianceId);
      this.flush();
    });
  }

  #isUp(applianceId: string): boolean {
    const { hosts, azure } = this.#around;
    const home = [...hosts.machines.values()].find(({ source }) => applianceIds.agent(source.id) === applianceId);
    if (home !== undefined) return home.power === 'on' && home.nicConnected && home.agent !== undefined;
    if (applianceId.startsWith('worker-')) return hosts.workers.has(applianceId);
    return azure.machine(`lf-${applianceId}`) !== undefined;
  }

  async #take(command: Command): Promise<void> {
    if (!this.#isUp(command.aud)) return void this.#held.push(command);
    const { aud, operationId } = command;
    if (command.type === 'landfall.worker.verify') {
      const results = command.data.disks.map(({ diskId }) => ({ name: diskId, passed: true, detail: '' }));
      return this.#emit(aud, aud, 'landfall.worker.verified', { results }, operationId);
    }
    const { waveId, workloadId } = command.data;
    const subject = `${waveId}/${workloadId}`;
    const machine = await this.#machineOf(waveId, workloadId);
    switch (command.type) {
      case 'landfall.source.describe': {
        const disks = machine.source.disks.map(({ id, sizeBytes }) => ({ id, sizeBytes, readable: true, detail: '' }));
        const data = { hostName: machine.source.hostName, disks, services: states(machine) };
        return this.#emit(aud, subject, 'landfall.source.described', data, operationId);
      }
      case 'landfall.services.stop':
      case 'landfall.services.start': {
        this.carriedOut.set(operationId, (this.carriedOut.get(operationId) ?? 0) + 1);
        const starts = command.type === 'landfall.services.start';
        for (const { name } of command.data.services)
          this.#around.hosts.setService(machine.source.id, name, starts ? 'running' : 'stopped');
        const type = starts ? 'landfall.services.started' : 'landfall.services.stopped';
        return this.#emit(aud, subject, type, { services: states(machine) }, operationId);
      }
      case 'landfall.check.run':
      case 'landfall.probe.run': {
        const results = command.data.checks.map(({ name }) => ({
          name,
          passed: !this.failsCheck(name, command),
          detail: '',
        }));
        return this.#emit(aud, subject, 'landfall.check.completed', { results }, operationId);
      }
      case 'landfall.sync.start':
        return this.#sync(command, machine);
      case 'landfall.sync.cancel':
        if (this.#running.get(subject) === command.data.syncId) this.#running.delete(subject);
    }
  }

  async #sync(command: SyncStart, machine: ModelledMachine): Promise<void> {
    const { aud, operationId, data } = command;
    const { waveId, workloadId, syncId, kind, disks } = data;
    const subject = `${waveId}/${workloadId}`;
    const other = this.#running.get(subject);
    if (other !== undefined && other !== syncId) this.violations.push(`${subject}: ${syncId} beside ${other}`);
    if (machine.power === 'off') this.violations.push(`${subject}: a ${kind} sync of a source that is off`);
    this.#running.set(subject, syncId);
    const startedAt = this.#around.now();
    await this.#emit(aud, subject, 'landfall.sync.started', { syncId, kind }, operationId);
    this.#around.later(syncMs, async () => {
      if (this.#running.get(subject) !== syncId) return;
      this.#running.delete(subject);
      this.carriedOut.set(operationId, (this.carriedOut.get(operationId) ?? 0) + 1);
      if (this.failsSync(kind, workloadId)) {
        const reason = { code: 'disk', message: 'the disk cannot be read', suggestion: 'Look at it.' };
        return this.#emit(aud, subject, 'landfall.sync.failed', { syncId, kind, ...reason }, operationId);
      }
      const turn = (this.#finals.get(subject) ?? 0) + 1;
      this.#finals.set(subject, kind === 'final' ? turn : 0);
      for (const { blobName } of disks) this.#around.azure.snapshots.add(`${blobName}?${syncId}`);
      await this.#emit(
        aud,
        subject,
        'landfall.sync.completed',
        {
          syncId,
          kind,
          startedAt,
          disks: disks.map(({ diskId, sizeBytes }) => ({
            ...{ diskId, sizeBytes, readBytes: sizeBytes, changedBytes: this.changes(kind, turn), root: digest },
            snapshot: syncId,
          })),
          root: digest,
          verified: { mode: 'written', bytes: 0 },
          consistency: 'crash',
          resumed: false,
        },
        operationId,
      );
    });
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
    const [waveId = '', workloadId] = subject.split('/');
    for (let delivery = 0; delivery < this.#around.deliveries; delivery++)
      if (workloadId === undefined) await ownEvents(this.#around, source, [event]);
      else await this.#around.store.workloads.append(waveId, workloadId, [reported(event, this.#around.now())]);
  }
}

function states({ services }: ModelledMachine): { name: string; state: 'running' | 'stopped'; detail: string }[] {
  return [...services].map(([name, state]) => ({ name, state, detail: '' }));
}
