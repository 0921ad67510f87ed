// Landfall's HTTP API as a typed client: what the examples and scenarios ask, no more.

import { z } from 'zod';
import type { waveView } from '../../functions/http/waveView.ts';
import type { WorkloadEvent } from '../../shared/lifecycle/events.ts';
import type { WorkloadState } from '../../shared/lifecycle/state.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { Finding } from '../../shared/policy/preflight.ts';
import { lineOf, shorten } from '../../shared/policy/problems.ts';
import type { ApplianceDocument, GateDocument } from '../../shared/store/documents.ts';
import type { Person } from './people.ts';

export type WaveView = Awaited<ReturnType<typeof waveView>>;
export type WorkloadView = Extract<WaveView['groups'][number]['workloads'][number], { phase: unknown }>;
export type ApplianceView = Pick<ApplianceDocument, 'applianceId' | 'status' | 'version'>;

const Problem = z.object({
  title: z.string(),
  status: z.number(),
  detail: z.string().optional(),
  errors: z
    .array(z.object({ path: z.string(), value: z.unknown().optional(), message: z.string(), fix: z.string() }))
    .default([]),
});

/** Problem details (RFC 9457) as an error whose message shows all of it. */
class ApiProblem extends Error {
  readonly status: number;
  readonly problem: z.infer<typeof Problem>;
  constructor(request: string, problem: z.infer<typeof Problem>) {
    const { status, title, detail, errors } = problem;
    const lines = errors.map((error) => `  ${lineOf(error, 'the body')}`);
    super([`${request} was answered ${status} ${title}: ${detail ?? ''}`, ...lines].join('\n'));
    this.name = 'ApiProblem';
    this.status = status;
    this.problem = problem;
  }
}

/** Nothing answered: the app is not there, or not there yet. */
export class Unreachable extends Error {}

export class Api {
  readonly #base: () => string;
  readonly #person: Person;

  /** `base` is the host's address, without `/api`; it is asked each time. */
  constructor(base: () => string, person: Person) {
    this.#base = base;
    this.#person = person;
  }

  putEnvironment = (id: string, yaml: string) => this.request('PUT', `environments/${id}`, yaml);
  putProfile = (id: string, yaml: string) => this.request('PUT', `profiles/${id}`, yaml);
  putSource = (id: string, yaml: string) => this.request('PUT', `sources/${id}`, yaml);
  postWave = (yaml: string, { dryRun = false } = {}) =>
    this.request<{ plan: WavePlan; findings: (Finding & { workloadId: string })[] }>(
      'POST',
      `waves${dryRun ? '?dryRun=true' : ''}`,
      yaml,
    );
  startWave = (id: string) => this.request<{ instanceId: string; attempt: number }>('POST', `waves/${id}/start`);
  wave = (id: string) => this.request<WaveView>('GET', `waves/${id}`);
  workload = (id: string, workloadId: string) =>
    this.request<{ state: WorkloadState }>('GET', `waves/${id}/workloads/${workloadId}`);
  events = (id: string, workloadId: string) =>
    this.request<{ events: (WorkloadEvent & { version: number })[]; version: number }>(
      'GET',
      `waves/${id}/workloads/${workloadId}/events`,
    );
  gates = async (id: string) => (await this.request<{ gates: GateDocument[] }>('GET', `waves/${id}/gates`)).gates;
  approve = (id: string, gateId: string, comment: string) =>
    this.request<GateDocument>('POST', `waves/${id}/gates/${gateId}/approve`, { comment });
  reject = (id: string, gateId: string, comment: string) =>
    this.request<GateDocument>('POST', `waves/${id}/gates/${gateId}/reject`, { comment });
  rollback = (id: string, order: { to?: 'replicating' | 'withdrawn'; reason: string; acceptDataLoss?: boolean }) =>
    this.request('POST', `waves/${id}/rollback`, order);
  cancel = (id: string, reason: string) => this.request('POST', `waves/${id}/cancel`, { reason });
  answer = (id: string, attentionId: string, answer: { choice: 'retry' | 'rollback'; reason: string }) =>
    this.request('POST', `waves/${id}/attentions/${attentionId}`, answer);
  appliances = async () => (await this.request<{ appliances: ApplianceView[] }>('GET', 'appliances')).appliances;
  quarantine = () => this.request<unknown>('GET', 'quarantine');

  /** A body that is text is YAML. What the app answers is trusted to have the shape that its own types say. */
  async request<T = unknown>(method: string, path: string, body?: string | object): Promise<T> {
    const url = `${this.#base()}/api/${path}`;
    const headers = { authorization: `Bearer ${await this.#person.token()}` };
    const content =
      body === undefined
        ? { headers }
        : typeof body === 'string'
          ? { headers: { ...headers, 'content-type': 'application/yaml' }, body }
          : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { method, ...content, signal: AbortSignal.timeout(30_000) });
      text = await response.text();
    } catch (error) {
      throw new Unreachable(`${method} ${url} got no answer: ${reasonOf(error)}`, { cause: error });
    }
    if (response.ok) return JSON.parse(text) as T;
    const problem = Problem.safeParse(parsed(text)).data ?? {
      title: response.statusText,
      status: response.status,
      detail: shorten(text, 200),
      errors: [],
    };
    throw new ApiProblem(`${method} /api/${path}`, problem);
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || String(cause) : message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
