// Services of the source, by the commands that the source itself names: `status` exits 0 when it runs and 3 when it is
// stopped, as LSB init scripts and systemctl do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceService } from '../../shared/model/source.ts';
import type { StartedService } from '../../shared/protocol/commands.ts';
import type { ServiceState } from '../../shared/protocol/events.ts';
import { run } from './run.ts';
import { setStartMode, startModeOf } from './startModes.ts';

export interface ServiceTimes {
  commandMs: number;
  statusMs: number;
  /** How long a service may take to reach its state after its command has returned. */
  settleMs: number;
}
const serviceTimes: ServiceTimes = { commandMs: 180_000, statusMs: 20_000, settleMs: 30_000 };

interface Failure {
  code: string;
  message: string;
  suggestion: string;
}
export type ServicesOutcome = { services: ServiceState[] } | { services: ServiceState[]; failure: Failure };

export async function stateOf(service: SourceService, times: ServiceTimes = serviceTimes): Promise<ServiceState> {
  return withStartMode(service, await runOf(service, times), times);
}

/**
 * Stops or starts services one by one, in the order given, and verifies each before the next. What is stopped no longer
 * starts with its machine; what is started gets back the start mode that it had `before`, and stays stopped if it was.
 */
export async function changeServices(
  services: readonly StartedService[],
  wanted: 'running' | 'stopped',
  times: ServiceTimes = serviceTimes,
): Promise<ServicesOutcome> {
  const done: ServiceState[] = [];
  for (const service of services) {
    // Before it stops, so that nothing starts it in between.
    const mode = wanted === 'stopped' ? 'manual' : service.before?.startMode;
    const refusal = mode && (await setStartMode(service, mode, times));
    if (refusal !== undefined)
      return {
        services: [...done, { ...(await stateOf(service, times)), detail: refusal.slice(0, 500) }],
        failure: {
          code: 'startModeRefused',
          message: `The start mode of ${service.name} could not be set to ${mode}: ${refusal}`.slice(0, 2000),
          suggestion: `Look at ${service.name} on the source, set it to ${mode} by hand if that is right, then retry.`,
        },
      };
    const staysStopped = wanted === 'running' && service.before !== undefined && service.before.state !== 'running';
    const { after, failure } = staysStopped
      ? { after: await runOf(service, times) }
      : await changeRun(service, wanted, times);
    const state = await withStartMode(service, after, times);
    if (failure !== undefined) return { services: [...done, state], failure };
    done.push(state);
  }
  return { services: done };
}

async function changeRun(
  service: SourceService,
  wanted: 'running' | 'stopped',
  times: ServiceTimes,
): Promise<{ after: ServiceState; failure?: Failure }> {
  const verb = wanted === 'stopped' ? 'stop' : 'start';
  const before = await runOf(service, times);
  if (before.state === wanted) return { after: before };
  const ran = await run(service[verb], times.commandMs);
  const after = await settled(service, wanted, ran.exit === 0 ? times.settleMs : 0, times);
  if (after.state === wanted) return { after };
  const why =
    ran.exit === 0 ? `its status is ${after.state} ${after.detail}` : `${ran.exit}: ${ran.errors || ran.output}`;
  return {
    after: { ...after, detail: why.trim().slice(0, 500) },
    failure: {
      code: ran.exit === 'timeout' ? 'serviceTimeout' : 'serviceRefused',
      message: `The service ${service.name} could not be ${wanted === 'stopped' ? 'stopped' : 'started'}: ${why}`.slice(
        0,
        2000,
      ),
      suggestion: `Look at ${service.name} on the source, ${verb} it by hand if that is right, then retry.`,
    },
  };
}

async function runOf(service: SourceService, times: ServiceTimes): Promise<ServiceState> {
  const { exit, output, errors } = await run(service.status, times.statusMs);
  const state = exit === 0 ? 'running' : exit === 3 ? 'stopped' : 'unknown';
  const detail = state === 'unknown' ? `status: ${exit} ${errors || output}`.trim().slice(0, 500) : '';
  return { name: service.name, state, detail };
}

async function withStartMode(service: SourceService, found: ServiceState, times: ServiceTimes): Promise<ServiceState> {
  const shown = await startModeOf(service, times.statusMs);
  return shown ? { ...found, startMode: shown.startMode, detail: found.detail || shown.detail } : found;
}

async function settled(
  service: SourceService,
  wanted: ServiceState['state'],
  withinMs: number,
  times: ServiceTimes,
): Promise<ServiceState> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await runOf(service, times);
    if (found.state === wanted || Date.now() >= deadline) return found;
    await sleep(200);
  }
}
