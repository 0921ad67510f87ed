// CloudEvents 1.0 from appliances: what may arrive on the `appliance-events` queue, by type.
import { z } from 'zod';
import { Id, Instant } from '../model/ids.ts';
import { ProbeResult } from '../model/probe.ts';
import { Verification } from '../model/settings.ts';
import { StartMode } from '../model/source.ts';

const Digest = z.string().regex(/^[0-9a-f]{64}$/);
const Syncing = z.strictObject({ syncId: z.string().max(120), kind: z.enum(['initial', 'delta', 'final']) });
const Reason = {
  code: z.string().max(80),
  message: z.string().max(2000),
  suggestion: z.string().max(1000).default(''),
};

export const DiskPoint = z.strictObject({
  diskId: Id,
  sizeBytes: z.int().nonnegative(),
  readBytes: z.int().nonnegative().describe('bytes read from the source'),
  changedBytes: z.int().nonnegative().describe('bytes written to or cleared in the staging blob'),
  root: Digest.describe('Merkle root over the blocks as they were read of the source'),
  targetRoot: Digest.optional().describe(
    'the same over the blocks as the staging blob holds them: as they were read back last, and before that as it acknowledged them',
  ),
  changesFrom: z
    .enum(['bitmap', 'manifest'])
    .optional()
    .describe('how it was known what had changed; by the manifest all of the disk is compared'),
  bitmapRefused: z.string().max(500).optional().describe('why a bitmap that was offered was not believed'),
  snapshot: z.string().max(64).describe('the x-ms-snapshot of the staging blob'),
});
export type DiskPoint = z.infer<typeof DiskPoint>;

export const ServiceState = z.strictObject({
  name: z.string().max(80),
  state: z.enum(['running', 'stopped', 'unknown']),
  startMode: z
    .enum([...StartMode.options, 'unknown'])
    .optional()
    .describe('absent where the source names no commands for it'),
  detail: z.string().max(500).default(''),
});
export type ServiceState = z.infer<typeof ServiceState>;

export const CheckResult = z.strictObject({
  name: z.string().max(80),
  passed: z.boolean(),
  detail: z.string().max(2000),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const applianceEventData = {
  'landfall.appliance.heartbeat': z.strictObject({
    version: z.string().max(40),
    bootId: z.string().max(64),
    kind: z.enum(['target', 'worker', 'agent']),
    uptimeSeconds: z.number().nonnegative(),
    runningSyncs: z.array(z.string().max(120)).max(100),
  }),
  'landfall.appliance.stopping': z.strictObject({ reason: z.string().max(500) }),
  'landfall.worker.verified': z.strictObject({ results: z.array(CheckResult).max(200) }),
  'landfall.agent.installed': z.strictObject({
    agentId: Id,
    version: z.string().max(40),
    sha256: Digest.describe('of the program that was put there'),
    node: z.string().max(500).describe('what runs it'),
    changed: z.boolean().describe('false: this operation had put it there before'),
  }),
  'landfall.agent.removed': z.strictObject({
    agentId: Id,
    wasThere: z.boolean(),
    stays: z.string().max(500).optional().describe('whose agent is there and was left alone'),
  }),
  'landfall.agent.failed': z.strictObject({ agentId: Id, ...Reason }),
  'landfall.source.described': z.strictObject({
    hostName: z.string().max(253),
    disks: z
      .array(
        z.strictObject({
          id: Id,
          sizeBytes: z.int().nonnegative(),
          readable: z.boolean(),
          detail: z.string().max(500).default(''),
        }),
      )
      .max(64),
    services: z.array(ServiceState).max(100),
  }),
  'landfall.sync.started': Syncing,
  'landfall.sync.progress': Syncing.extend({
    doneBytes: z.int().nonnegative(),
    totalBytes: z.int().nonnegative(),
    writtenBytes: z.int().nonnegative(),
    bytesPerSecond: z.number().nonnegative(),
  }),
  'landfall.sync.completed': Syncing.extend({
    startedAt: Instant,
    disks: z.array(DiskPoint).min(1).max(64),
    root: Digest.describe('Merkle root over the disks’ roots, in the order of the command'),
    verified: z.strictObject({ mode: Verification, bytes: z.int().nonnegative() }),
    consistency: z
      .enum(['none', 'crash', 'application', 'stopped'])
      .describe(
        'read while the source wrote, frozen as after a crash, frozen with applications at rest, services stopped',
      ),
    resumed: z.boolean(),
  }),
  'landfall.sync.failed': Syncing.extend(Reason),
  'landfall.services.stopped': z.strictObject({ services: z.array(ServiceState).max(100) }),
  'landfall.services.started': z.strictObject({ services: z.array(ServiceState).max(100) }),
  'landfall.services.failed': z.strictObject({ services: z.array(ServiceState).max(100), ...Reason }),
  'landfall.check.completed': z.strictObject({ results: z.array(CheckResult).max(100) }),
  'landfall.probe.completed': z.strictObject({ results: z.array(ProbeResult).max(100) }),
  'landfall.command.failed': z.strictObject({ command: z.string().max(60), ...Reason }),
} as const;
export type ApplianceEventType = keyof typeof applianceEventData;
export type ApplianceEventData<T extends ApplianceEventType> = z.infer<(typeof applianceEventData)[T]>;

/** The envelope. `sequence` rises per appliance and subject; `operationid` repeats the command that caused the event. */
export const Envelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: z
    .string()
    .min(1)
    .max(120)
    .regex(/^[A-Za-z0-9._-]+$/)
    .describe('without colons: those are in the ids of the platform’s own events'),
  source: Id.describe('the appliance'),
  type: z.string().max(80),
  subject: z
    .string()
    .max(120)
    .regex(/^[a-z0-9-]+(\/[a-z0-9-]+)?$/)
    .describe('waveId/workloadId, or the appliance id for its own events'),
  time: Instant,
  datacontenttype: z.literal('application/json'),
  sequence: z.int().nonnegative(),
  operationid: z.string().max(200).optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof Envelope>;

export type ApplianceEvent = {
  [T in ApplianceEventType]: Omit<Envelope, 'type' | 'data'> & { type: T; data: ApplianceEventData<T> };
}[ApplianceEventType];

export type EventProblem = { code: 'unknownType' | 'brokenBody'; message: string };

/** Parses a verified payload into a typed event, or says why it is none. */
export function parseApplianceEvent(
  payload: unknown,
): { event: ApplianceEvent } | { problem: EventProblem; envelope?: Envelope } {
  const envelope = Envelope.safeParse(payload);
  if (!envelope.success) return { problem: { code: 'brokenBody', message: z.prettifyError(envelope.error) } };
  const { type } = envelope.data;
  if (!isApplianceEventType(type))
    return {
      problem: { code: 'unknownType', message: `"${type}" is not an event that Landfall knows` },
      envelope: envelope.data,
    };
  const data = applianceEventData[type].safeParse(envelope.data.data);
  if (!data.success)
    return { problem: { code: 'brokenBody', message: z.prettifyError(data.error) }, envelope: envelope.data };
  return { event: { ...envelope.data, type, data: data.data } as ApplianceEvent };
}

function isApplianceEventType(type: string): type is ApplianceEventType {
  return Object.hasOwn(applianceEventData, type);
}
