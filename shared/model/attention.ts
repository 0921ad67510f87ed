// What people are asked when something has failed for good, and what they may answer.
import { z } from 'zod';
import { Instant } from './ids.ts';

/** `skip` and a retry with changed input only where the step declares them; `doneByHand` only for an undo. */
export const Choice = z.enum(['retry', 'skip', 'rollback', 'cancel', 'doneByHand']);
export type Choice = z.infer<typeof Choice>;

/** Where a step failed: in `capture` and `precheck` nothing has been changed yet. */
export const Part = z.enum(['capture', 'precheck', 'run', 'verify', 'skip', 'undo']);
export type Part = z.infer<typeof Part>;

/** What is known about the failure, and what is offered. */
export const Asked = z.strictObject({
  during: Part,
  choices: z.array(Choice).min(1),
  /** What the step has seen: what it captured before it changed anything. */
  evidence: z.unknown().optional(),
  /** JSON Schema of the changed input that a retry may carry. */
  accepts: z.record(z.string(), z.unknown()).optional(),
  /** Who may change it; an approver where that weakens a proof. */
  changesNeed: z.enum(['operator', 'approver']).optional(),
  /** Who may skip the step; an approver where that weakens a proof. */
  skipNeeds: z.enum(['operator', 'approver']).optional(),
  /** Until when it may be answered; then a policy leads back. Without it there is no limit. */
  until: Instant.optional(),
  /** What remains to be done by hand where an undo failed. */
  todo: z.array(z.string()).optional(),
});
export type Asked = z.infer<typeof Asked>;

export const Answer = z.strictObject({
  choice: Choice,
  by: z.string(),
  reason: z.string(),
  at: Instant,
  /** Where a rollback goes. */
  to: z.enum(['replicating', 'withdrawn']).optional(),
  /** Whether the workload is rolled back alone and leaves its group. */
  alone: z.boolean().optional(),
  /** Changed input for the one attempt that follows; the plan stays as it is. */
  changed: z.unknown().optional(),
});
export type Answer = z.infer<typeof Answer>;
