// How Node is started for the appliance. What it copies lies in memory of its own; everything else lives shortly, so that a
// small young generation saves memory (16 MB for it: 240 MB at the peak of a copy instead of 170), and threads that help to
// sweep it cost 5 % of the time of a delta. `node --v8-options` has the flags.
export const nodeFlags: readonly string[] = ['--max-semi-space-size=1', '--no-parallel-scavenge'];
