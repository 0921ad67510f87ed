// How long things take in a modelled world, in milliseconds of its own time.
import type { LongOperation } from '../../shared/azure/contract.ts';
import type { Command } from '../../shared/protocol/commands.ts';

export interface Pace {
  /** Until a resource is there, or gone. */
  azure(kind: LongOperation['kind'], sizeBytes: number): number;
  /** Until an appliance that was started has enrolled. */
  start(kind: 'target' | 'worker' | 'agent'): number;
  /** Until an appliance has carried out a command that is no sync. */
  command(command: Command): number;
  /** Until a sync has read and shipped its bytes. */
  sync(kind: 'initial' | 'delta' | 'final', bytes: number): number;
  /** Until a machine that was asked to shut down is off. */
  shutdown(): number;
}

/** A world in which nothing takes long: for stories whose order matters and not their length. */
export const quick: Pace = {
  azure: () => 400,
  start: () => 1500,
  command: () => 200,
  sync: () => 4000,
  shutdown: () => 700,
};
