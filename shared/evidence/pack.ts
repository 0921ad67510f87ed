// The evidence pack of a wave: what auditors and the next shift read. Everything in it comes from the journal, or from
// states that the verification in it has shown to be the fold of the journal.
import { z } from 'zod';
import { Misfit } from '../journal/misfit.ts';

const Seconds = z.number().nonnegative();
const Said = { at: z.string(), by: z.string(), why: z.string().optional() };

/** One step over all workloads: how it stands, and how long it took where it ended. */
const StepRow = z.strictObject({
  step: z.string(),
  stands: z.record(z.string(), z.int()).describe('number of workloads by status'),
  first: z.string().optional().describe('when the first workload began it'),
  last: z.string().optional().describe('when the last workload ended it'),
  longestSeconds: Seconds.optional(),
  medianSeconds: Seconds.optional(),
});

const GroupRow = z.strictObject({
  groupId: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  workloads: z.int(),
  /** The cutover as it went: from the first service that stopped to the last workload that served again. */
  began: z.string().optional(),
  ended: z.string().optional(),
  /** The planned window that it began in, and whether it ended inside. */
  window: z.strictObject({ opens: z.string(), closes: z.string() }).optional(),
  inWindow: z.boolean().optional(),
});

const WorkloadRow = z.strictObject({
  workloadId: z.string(),
  groupId: z.string(),
  source: z.string(),
  target: z.string(),
  phase: z.string(),
  downtime: z
    .strictObject({
      began: z.string(),
      ended: z.string().optional(),
      seconds: Seconds.optional(),
      predicted: z.strictObject({ expectedSeconds: Seconds, highSeconds: Seconds }).optional(),
    })
    .optional(),
  checks: z.strictObject({ passed: z.int(), failed: z.int() }),
  undone: z.array(z.string()),
  version: z.int(),
  hash: z.string(),
});

const Attempt = z.strictObject({
  step: z.string(),
  attempt: z.int(),
  status: z.string(),
  began: z.string().optional(),
  ended: z.string(),
  seconds: Seconds.optional(),
  by: z.string(),
  why: z.string().optional(),
  evidence: z.string().optional().describe('JSON, cut where it is long'),
});
export type Attempt = z.infer<typeof Attempt>;

/** All that one workload went through. */
export const Section = z.strictObject({
  workloadId: z.string(),
  steps: z.array(Attempt),
  isolation: z
    .array(z.strictObject({ at: z.string(), when: z.string(), isolated: z.boolean(), said: z.array(z.string()) }))
    .describe('every look at its clones: rules, probes, and what stood against the proof'),
  checks: z.array(
    z.strictObject({ at: z.string(), step: z.string(), name: z.string(), passed: z.boolean(), detail: z.string() }),
  ),
  effects: z.array(z.strictObject({ at: z.string(), what: z.string(), before: z.string(), after: z.string() })),
  effectsLeftOut: z.int(),
});
export type Section = z.infer<typeof Section>;

export const EvidencePack = z.strictObject({
  waveId: z.string(),
  name: z.string(),
  environment: z.string(),
  builtAt: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  postedBy: z.string(),
  startedBy: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  attempt: z.int(),
  codeVersion: z.string().optional(),
  plan: z.strictObject({
    hash: z.string(),
    zone: z.string(),
    windows: z.array(z.strictObject({ opens: z.string(), closes: z.string() })),
    versions: z.array(z.strictObject({ ...Said, before: z.string(), after: z.string() })),
  }),
  steps: z.array(StepRow),
  environmentSteps: z.array(Attempt),
  groups: z.array(GroupRow),
  workloads: z.array(WorkloadRow),
  approvals: z.array(
    z.strictObject({ ...Said, gate: z.string(), groupId: z.string().optional(), decision: z.string() }),
  ),
  orders: z.array(z.strictObject({ ...Said, order: z.string() })),
  questions: z.array(
    z.strictObject({ at: z.string(), step: z.string(), failure: z.string(), answer: z.string().optional() }),
  ),
  undone: z.array(z.strictObject({ ...Said, workloadId: z.string(), step: z.string(), outcome: z.string() })),
  journal: z.strictObject({
    valid: z.boolean(),
    misfits: z.array(Misfit),
    head: z.strictObject({ version: z.int(), hash: z.string() }),
    root: z.string(),
    /** Which workloads' journals this page has recomputed: those of its sections. */
    verified: z.int(),
    anchors: z.int(),
    open: z
      .array(z.strictObject({ workloadId: z.string(), step: z.string(), since: z.string() }))
      .describe('steps that began and have no end'),
  }),
  sections: z.array(Section),
  next: z.string().optional().describe('`after` of the page with the next sections'),
});
export type EvidencePack = z.infer<typeof EvidencePack>;
