import type { Command } from '../protocol/commands.ts';
import type { BusAccess } from '../protocol/enrolment.ts';

export interface Bus {
  /** Signs and publishes a command to its appliance's subscription; message id = operation id (+ attempt), so a repeat is dropped by duplicate detection. */
  publish(command: Command, options?: { attempt?: number; validForSeconds?: number }): Promise<void>;
  /** Makes the appliance's subscription with a filter on its id (idempotent). */
  ensureSubscription(applianceId: string): Promise<void>;
  removeSubscription(applianceId: string): Promise<void>;
  /** SAS tokens for exactly this appliance's entities, at most an hour long. */
  accessFor(applianceId: string): BusAccess;
  close(): Promise<void>;
}
