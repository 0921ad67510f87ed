import { Problem } from '../problem.ts';

/** Syncs are not part of this version: a command to start one is refused. */
export class SyncJobs {
  start(): Promise<void> {
    throw new Problem('notSupported', 'This appliance does not replicate.', 'Use a newer version.');
  }
  cancel(): void {}
  running(): string[] {
    return [];
  }
  async stop(): Promise<void> {}
  resume(): void {}
}
