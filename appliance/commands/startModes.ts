// Start modes of services, by the commands that the source itself names: `show` prints `automatic` or `manual`.
import { type SourceService, StartMode } from '../../shared/model/source.ts';
import type { ServiceState } from '../../shared/protocol/events.ts';
import { run } from './run.ts';

interface Shown {
  startMode: NonNullable<ServiceState['startMode']>;
  /** Why it is unknown. */
  detail: string;
}

/** Whether the service starts with its machine; undefined where the source names no commands for that. */
export async function startModeOf({ startMode }: SourceService, withinMs: number): Promise<Shown | undefined> {
  if (startMode === undefined) return undefined;
  const { exit, output, errors } = await run(startMode.show, withinMs);
  const printed = StartMode.safeParse(output.trim());
  if (exit === 0 && printed.success) return { startMode: printed.data, detail: '' };
  return { startMode: 'unknown', detail: `start mode: ${exit} ${errors || output}`.trim().slice(0, 500) };
}

/** Sets the start mode unless it is so already, looks again, and says what stood against it; milliseconds for each command. */
export async function setStartMode(
  service: SourceService,
  wanted: StartMode,
  times: { commandMs: number; statusMs: number },
): Promise<string | undefined> {
  if (service.startMode === undefined) return undefined;
  if ((await startModeOf(service, times.statusMs))?.startMode === wanted) return undefined;
  const { exit, output, errors } = await run(service.startMode[wanted], times.commandMs);
  if (exit !== 0) return `${exit}: ${errors || output}`.trim();
  const after = await startModeOf(service, times.statusMs);
  return after?.startMode === wanted ? undefined : `it is ${after?.startMode} ${after?.detail}`.trim();
}
