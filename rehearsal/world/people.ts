// People at the HTTP API: its routes, called as somebody whose token was accepted.
import type { HttpRequest } from '@azure/functions';
import { Refused } from '../../functions/http/problem.ts';
import { routes } from '../../functions/http/routes.ts';
import type { Orchestrations } from '../../functions/orchestrations.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { MigrationError } from '../../shared/errors.ts';
import type { Choice } from '../../shared/model/attention.ts';
import { Act } from '../../shared/model/byHand.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { GateDocument } from '../../shared/store/documents.ts';
import type { Mirror } from './mirror.ts';
import { ada, carl } from './persons.ts';

/** What a request has beside its body. */
export interface Sent {
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

export class People {
  /** What is decided at a gate as soon as it opens; nothing, if absent. */
  atGate: Partial<Record<string, 'approve' | 'reject'>> = {
    uat: 'approve',
    cutover: 'approve',
    commit: 'approve',
    ...Object.fromEntries(Act.options.map((act) => [`byHand:${act}`, 'approve' as const])),
  };
  readonly #reach: { capabilities: Capabilities; orchestrations: Orchestrations };
  readonly #seen: Mirror;

  constructor(reach: { capabilities: Capabilities; orchestrations: Orchestrations }, seen: Mirror) {
    this.#reach = reach;
    this.#seen = seen;
  }

  /** Posts a wave definition: it is planned, checked and stored. */
  post(definition: WaveDefinition): Promise<unknown> {
    return this.#call('wavesPost', {}, definition, ada);
  }

  /** Moves a workload that has not begun from one wave to a group of another. */
  move(
    workload: { id: string; wid: string },
    to: { to: string; group: string; dependsOn?: string[] },
  ): Promise<unknown> {
    return this.#call('workloadsMove', workload, { ...to, reason: 'told so' }, ada);
  }

  start(waveId?: string): Promise<unknown> {
    return this.#call('wavesStart', this.#wave(waveId), {}, ada);
  }

  rollBack(to: 'replicating' | 'withdrawn' = 'replicating', group?: string, waveId?: string): Promise<unknown> {
    const asked = { to, reason: 'told so', acceptDataLoss: true, ...(group === undefined ? {} : { group }) };
    return this.#call('wavesRollback', this.#wave(waveId), asked, carl);
  }

  /** Rolls single workloads back: they leave their group. */
  rollBackAlone(workloads: string[], to: 'replicating' | 'withdrawn' = 'replicating'): Promise<unknown> {
    return this.#call('wavesRollback', this.#wave(), { to, workloads, reason: 'told so' }, carl);
  }

  pause(scope: { group?: string; workloads?: string[]; deltas?: 'goOn' | 'stop' } = {}): Promise<unknown> {
    return this.#call('wavesPause', this.#wave(), { ...scope, reason: 'told so' }, carl);
  }

  resume(scope: { group?: string; workloads?: string[] } = {}): Promise<unknown> {
    return this.#call('wavesResume', this.#wave(), { ...scope, reason: 'told so' }, carl);
  }

  cancel(waveId?: string): Promise<unknown> {
    return this.#call('wavesCancel', this.#wave(waveId), { reason: 'told so' }, carl);
  }

  /** Orders a workload to cut over first, or later. */
  turn(action: 'rush' | 'defer', workload: string, waveId?: string): Promise<unknown> {
    const name = action === 'rush' ? 'workloadsRush' : 'workloadsDefer';
    return this.#call(name, { ...this.#wave(waveId), wid: workload }, { reason: 'told so' }, ada);
  }

  /** Approves some of the workloads that a gate asks about, or all of them. */
  approve({ id, waveId }: GateDocument, workloads?: string[]): Promise<unknown> {
    const asked = workloads === undefined ? {} : { workloads };
    return this.#call('gatesApprove', { id: waveId, gateId: id }, asked, carl);
  }

  /** Rejects some of the workloads that a gate asks about, or all of them. */
  reject({ id, waveId }: GateDocument, workloads?: string[]): Promise<unknown> {
    const asked = workloads === undefined ? {} : { workloads };
    return this.#call('gatesReject', { id: waveId, gateId: id }, { ...asked, comment: 'no' }, carl);
  }

  /** Asks for another turn of a group's validation. */
  validate(group: string, waveId?: string): Promise<unknown> {
    return this.#call('groupsValidate', { ...this.#wave(waveId), gid: group }, { reason: 'told so' }, ada);
  }

  /** Answers the first question that is open. */
  answer(
    choice: Choice,
    more: { changed?: unknown; to?: 'replicating' | 'withdrawn'; alone?: boolean } = {},
  ): Promise<unknown> {
    const [open] = this.#seen.openQuestions();
    if (open === undefined) throw new Error('no question is open');
    const asked = { choice, reason: 'told so', acceptDataLoss: true, ...more };
    return this.#call('attentionsAnswer', { id: open.waveId, attentionId: open.id }, asked, carl);
  }

  async decide({ id, name, waveId }: GateDocument): Promise<void> {
    const decision = this.atGate[name];
    const gate = { id: waveId, gateId: id };
    if (decision === 'approve') await this.#call('gatesApprove', gate, {}, carl);
    if (decision === 'reject') await this.#call('gatesReject', gate, { comment: 'no', acceptDataLoss: true }, carl);
  }

  /**
   * Asks for something that may be refused: whether it was granted. A route that the app does not have is a refusal.
   * `through`: what the app reaches the world by, if not as always.
   */
  async try(
    name: string,
    params: Record<string, string>,
    body: unknown,
    person: Person,
    { through = this.#reach.capabilities, ...sent }: Sent & { through?: Capabilities } = {},
  ): Promise<boolean> {
    if (!routes.some((each) => each.name === name)) return false;
    try {
      await this.#call(name, params, body, person, { ...sent, through });
      return true;
    } catch (error) {
      if (error instanceof Refused || error instanceof MigrationError) return false;
      throw error;
    }
  }

  /** The wave that is meant: the only one, if none is named. */
  #wave(waveId = this.#seen.wave().waveId): { id: string } {
    return { id: waveId };
  }

  async #call(
    name: string,
    params: Record<string, string>,
    body: unknown,
    person: Person,
    { query = {}, headers: more = {}, through }: Sent & { through?: Capabilities } = {},
  ): Promise<unknown> {
    const route = routes.find((each) => each.name === name);
    if (route === undefined) throw new Error(`no route ${name}`);
    const headers = { 'content-type': 'application/json', ...more };
    const request = new Request('http://localhost/', { method: 'POST', headers, body: JSON.stringify(body) });
    const asked = Object.assign(request, { query: new URLSearchParams(query) }) as unknown as HttpRequest;
    const call = { ...this.#reach, ...(through && { capabilities: through }), person, request: asked };
    const answer = await route.handle({ ...call, param: (param) => params[param] ?? '' });
    return JSON.parse(String(answer.body)) as unknown;
  }
}
