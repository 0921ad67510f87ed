// How Node is started for the appliance. What it copies lies in memory of its own; everything else lives shortly, so that a
// small young generation saves a third of the memory, and threads that help to sweep it cost more than they save.
// bench/replication/README.md has what that comes to; `node --v8-options` has the flags.
export const nodeFlags: readonly string[] = ['--max-semi-space-size=1', '--no-parallel-scavenge'];
