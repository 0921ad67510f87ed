// Commands from the platform to one appliance: what travels, signed, on the `appliance-commands` topic.
// No command carries a secret: write access to a blob is fetched over HTTPS by the appliance.
import { z } from 'zod';
import { Id, ReachableHost } from '../model/ids.ts';
import { Probe } from '../model/probe.ts';
import { Check, Verification } from '../model/settings.ts';
import { Argv, Source, SourceService, StartMode } from '../model/source.ts';
import { SshAccess } from '../model/ssh.ts';
import { ServiceState } from './events.ts';

const Workload = z.strictObject({ waveId: Id, workloadId: Id });

/** What an NBD export tells has changed: all of it, up to the moment that the export shows the disk at. */
const Changed = z.strictObject({
  context: z
    .string()
    .max(1000)
    .regex(/^qemu:dirty-bitmap:./)
    .describe('the metadata context, `qemu:dirty-bitmap:` and the bitmap’s name'),
  since: z.string().max(120).describe('the sync from whose frozen copy on it counts'),
});

export const SyncDisk = z.strictObject({
  diskId: Id,
  path: z.string(),
  changed: Changed.optional().describe('absent: changes are found by comparing all of the disk'),
  sizeBytes: z.int().positive(),
  blobName: z
    .string()
    .max(200)
    .describe('the staging page blob: a fixed VHD of the source’s bytes, zero-filled to 1 MiB, plus its footer'),
});
export type SyncDisk = z.infer<typeof SyncDisk>;

export const StartedService = SourceService.extend({
  before: z
    .strictObject({ state: ServiceState.shape.state, startMode: StartMode })
    .optional()
    .describe('how it was before it was stopped: its start mode is put back, and what did not run stays stopped'),
});
export type StartedService = z.infer<typeof StartedService>;

/** How fast a sync may send, from each instant on; null: as fast as it can. What the last one says goes on. */
export const Pace = z
  .array(z.strictObject({ from: z.iso.datetime(), bytesPerSecond: z.int().positive().nullable() }))
  .max(500);
export type Pace = z.infer<typeof Pace>;

/** Which agent, on which machine. The login is fetched over HTTPS. */
const AgentPlace = Workload.extend({
  agentId: Id,
  ssh: SshAccess.omit({ credential: true }).required({ host: true }),
});

export const commandData = {
  'landfall.sync.start': Workload.extend({
    syncId: z.string(),
    kind: z.enum(['initial', 'delta', 'final']),
    disks: z.array(SyncDisk).min(1).max(64),
    snapshot: Source.shape.snapshot,
    quiesce: Source.shape.quiesce,
    verify: Verification,
    pace: Pace.optional().describe('how fast it may send; as fast as it can if absent'),
    previousRoot: z
      .string()
      .optional()
      .describe('root of the last point: a manifest with another root is stale and not trusted'),
  }),
  'landfall.sync.cancel': Workload.extend({ syncId: z.string() }),
  'landfall.source.describe': Workload.extend({
    disks: z.array(z.strictObject({ diskId: Id, path: z.string() })),
    services: z.array(SourceService),
  }),
  'landfall.services.stop': Workload.extend({
    services: z.array(SourceService).describe('in the order in which to stop; their start mode becomes `manual`'),
  }),
  'landfall.services.start': Workload.extend({
    services: z.array(StartedService).describe('in the order in which to start'),
  }),
  'landfall.check.run': Workload.extend({ checks: z.array(Check) }),
  'landfall.probe.run': Workload.extend({ probes: z.array(Probe).max(100) }),
  'landfall.agent.install': AgentPlace.extend({
    commands: z.array(Argv).max(2000).describe('what root may run for the agent, word for word'),
  }),
  'landfall.agent.remove': AgentPlace,
  'landfall.worker.verify': z.strictObject({
    disks: z.array(z.strictObject({ sourceId: Id, diskId: Id, path: z.string() })),
    snapshots: z.array(z.strictObject({ sourceId: Id, diskId: Id, snapshot: Source.shape.snapshot })),
    reach: z
      .array(z.strictObject({ host: ReachableHost, port: z.int().min(1).max(65_535) }))
      .max(500)
      .default([])
      .describe('TCP ports that the worker must get through to'),
  }),
} as const;
export type CommandType = keyof typeof commandData;
export type CommandData<T extends CommandType> = z.infer<(typeof commandData)[T]>;

/** What the JWS payload of a command holds beside `iat` and `exp`. */
export type Command = {
  [T in CommandType]: { type: T; operationId: string; aud: string; data: CommandData<T> };
}[CommandType];

export const CommandEnvelope = z.looseObject({
  type: z.string(),
  operationId: z.string().min(1).max(200),
  aud: Id,
  data: z.unknown(),
});

/** Parses a verified command payload, or says why it is none. */
export function parseCommand(payload: unknown): { command: Command } | { problem: string; operationId?: string } {
  const envelope = CommandEnvelope.safeParse(payload);
  if (!envelope.success) return { problem: z.prettifyError(envelope.error) };
  const { type, operationId, aud } = envelope.data;
  if (!Object.hasOwn(commandData, type))
    return { problem: `"${type}" is not a command that this appliance knows`, operationId };
  const data = commandData[type as CommandType].safeParse(envelope.data.data);
  if (!data.success) return { problem: z.prettifyError(data.error), operationId };
  return { command: { type, operationId, aud, data: data.data } as Command };
}
