// The newest version of every document, as whoever watches the store sees it.
import type { WorkloadState } from '../../shared/lifecycle/state.ts';
import type { PlannedGroup, WorkloadPlan } from '../../shared/model/plan.ts';
import type { AttentionDocument, GateDocument, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';

export interface Written {
  id: string;
  kind: string;
  waveId?: string;
  workloadId?: string;
}

export class Mirror {
  readonly #kinds = new Map<string, Map<string, Written>>();

  note(document: Written): void {
    const { id, kind, waveId = '', workloadId = '' } = document;
    const same = this.#kinds.get(kind) ?? new Map<string, Written>();
    if (same.size === 0) this.#kinds.set(kind, same);
    same.set(`${waveId}/${workloadId}/${id}`, document);
  }

  documents<T extends { kind: string }>(kind: T['kind']): T[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])] as unknown as T[];
  }

  /** The wave of that id; without one, the only wave there is. */
  wave(waveId?: string): WaveDocument {
    const wave = this.documents<WaveDocument>('wave').find((each) => waveId === undefined || each.waveId === waveId);
    if (wave === undefined) throw new Error(`no wave ${waveId ?? ''}`);
    return wave;
  }

  /** A group of a wave's plan, with its members. */
  group(waveId: string, groupId: string): PlannedGroup | undefined {
    const outline = this.wave(waveId).plan.groups.find(({ id }) => id === groupId)?.outline;
    const part = this.#kinds.get('part')?.get(`${waveId}//part.${outline}`);
    return (part as unknown as { content: PlannedGroup } | undefined)?.content;
  }

  /** The workloads that are registered in a wave, with their plans. */
  workloads(waveId: string): WorkloadDocument[] {
    return this.documents<WorkloadDocument>('state').filter((each) => each.waveId === waveId);
  }

  /** What the workloads of a wave are planned with, without those that have left it. */
  plans(waveId: string): WorkloadPlan[] {
    return this.workloads(waveId).flatMap(({ plan, state }) => (state.phase === 'unregistered' ? [] : plan));
  }

  /** A workload with its plan, if it is registered. */
  workload(waveId: string, workloadId: string): WorkloadDocument | undefined {
    return this.#kinds.get('state')?.get(`${waveId}/${workloadId}/state`) as unknown as WorkloadDocument | undefined;
  }

  state(workloadId: string): WorkloadState {
    const found = this.documents<WorkloadDocument>('state').find((each) => each.workloadId === workloadId);
    if (found === undefined) throw new Error(`no workload ${workloadId}`);
    return found.state;
  }

  phases(): Record<string, string> {
    const workloads = this.documents<WorkloadDocument>('state');
    return Object.fromEntries(workloads.map(({ workloadId, state }) => [workloadId, state.phase]));
  }

  openGates(): GateDocument[] {
    return this.documents<GateDocument>('gate').filter(({ status }) => status === 'open');
  }

  openQuestions(): AttentionDocument[] {
    return this.documents<AttentionDocument>('attention').filter(({ status }) => status === 'open');
  }
}
