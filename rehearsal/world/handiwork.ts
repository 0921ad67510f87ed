// What people do by hand where no host can be asked: done when they confirm it at a gate, unless the story says that they
// had done it before anybody decided, or that they confirm what they have not done.
import type { Act } from '../../shared/model/byHand.ts';
import { applianceIds } from '../../shared/model/plan.ts';
import type { GateDocument } from '../../shared/store/documents.ts';
import type { ModelledHosts } from './hosts.ts';

interface Around {
  hosts: ModelledHosts;
  /** The source that a workload comes from. */
  sourceOf(waveId: string, workloadId: string): string;
  /** Fetches a token for an appliance that is to be started. */
  bootstrap(applianceId: string): Promise<void>;
  aside(work: Promise<void>): void;
}

export class Handiwork {
  /** Whether it is done as soon as it is asked for, whatever is decided then. */
  isEager: (act: Act) => boolean = () => false;
  /** Whether it is confirmed although it was not done. */
  isForgotten: (act: Act) => boolean = () => false;
  readonly #around: Around;
  readonly #asked = new Set<string>();
  readonly #done = new Set<string>();

  constructor(around: Around) {
    this.#around = around;
  }

  /** Looks at a gate as it is written. */
  reads(gate: GateDocument): void {
    if (!gate.name.startsWith('byHand:')) return;
    const act = gate.name.slice('byHand:'.length) as Act;
    const key = `${gate.waveId}/${gate.id}`;
    const isNew = !this.#asked.has(key);
    this.#asked.add(key);
    const does =
      gate.status === 'approved' ? !this.#done.has(key) && !this.isForgotten(act) : isNew && this.isEager(act);
    if (!does) return;
    this.#done.add(key);
    this.#around.aside(this.#do(act, gate));
  }

  async #do(act: Act, { waveId, workloadIds, operationId }: GateDocument): Promise<void> {
    const { hosts, sourceOf, bootstrap } = this.#around;
    const [workloadId = ''] = workloadIds;
    const site = operationId.split(':').at(-3) ?? '';
    switch (act) {
      case 'powerOff':
        return hosts.machineHost(sourceOf(waveId, workloadId)).powerOff();
      case 'powerOn':
        return hosts.machineHost(sourceOf(waveId, workloadId)).powerOn();
      case 'disconnect':
      case 'connect':
        return hosts.machineHost(sourceOf(waveId, workloadId)).setNic(act === 'connect');
      case 'installAgent': {
        const source = sourceOf(waveId, workloadId);
        await bootstrap(applianceIds.agent(source));
        return hosts.machineHost(source).installAgent('by hand');
      }
      case 'removeAgent':
        return hosts.machineHost(sourceOf(waveId, workloadId)).removeAgent();
      case 'startWorker':
        await bootstrap(applianceIds.worker(site));
        return hosts.deployWorker(applianceIds.worker(site));
      case 'removeWorker':
        return hosts.removeWorker(applianceIds.worker(site));
    }
  }
}
