// Services of the source, by the commands that the source itself names: `status` exits 0 when it runs and 3 when it is
// stopped, as LSB init scripts and systemctl do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceService } from '../../shared/model/source.ts';
import type { ServiceState } from '../../shared/protocol/events.ts';
import { run } from './run.ts';

export interface ServiceTimes {
  commandMs: number;
  statusMs: number;
  /** How long a service may take to reach its state after its command has returned. */
  settleMs: number;
}
const serviceTimes: ServiceTimes = { commandMs: 180_000, statusMs: 20_000, settleMs: 30_000 };

export type ServicesOutcome =
  | { services: ServiceState[] }
  | { services: ServiceState[]; failure: { code: string; message: string; suggestion: string } };

export async function stateOf(service: SourceService, times: ServiceTimes = serviceTimes): Promise<ServiceState> {
  const { exit, output, errors } = await run(service.status, times.statusMs);
  const state = exit === 0 ? 'running' : exit === 3 ? 'stopped' : 'unknown';
  const detail = state === 'unknown' ? `status: ${exit} ${errors || output}`.trim().slice(0, 500) : '';
  return { name: service.name, state, detail };
}

/** Stops or starts services one by one, in the order given, and verifies each before the next. */
export async function changeServices(
  services: readonly SourceService[],
  wanted: 'running' | 'stopped',
  times: ServiceTimes = serviceTimes,
): Promise<ServicesOutcome> {
  const verb = wanted === 'stopped' ? 'stop' : 'start';
  const done: ServiceState[] = [];
  for (const service of services) {
    const before = await stateOf(service, times);
    if (before.state === wanted) {
      done.push(before);
      continue;
    }
    const ran = await run(service[verb], times.commandMs);
    const after = await settled(service, wanted, ran.exit === 0 ? times.settleMs : 0, times);
    if (after.state === wanted) {
      done.push(after);
      continue;
    }
    const why =
      ran.exit === 0 ? `its status is ${after.state} ${after.detail}` : `${ran.exit}: ${ran.errors || ran.output}`;
    return {
      services: [...done, { ...after, detail: why.trim().slice(0, 500) }],
      failure: {
        code: ran.exit === 'timeout' ? 'serviceTimeout' : 'serviceRefused',
        message:
          `The service ${service.name} could not be ${wanted === 'stopped' ? 'stopped' : 'started'}: ${why}`.slice(
            0,
            2000,
          ),
        suggestion: `Look at ${service.name} on the source, ${verb} it by hand if that is right, then retry.`,
      },
    };
  }
  return { services: done };
}

async function settled(
  service: SourceService,
  wanted: ServiceState['state'],
  withinMs: number,
  times: ServiceTimes,
): Promise<ServiceState> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await stateOf(service, times);
    if (found.state === wanted || Date.now() >= deadline) return found;
    await sleep(200);
  }
}
