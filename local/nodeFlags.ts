// How Node is started for `main.ts`. V8 lets the old generation grow to about four times what lives in it before it
// collects, and on a machine with much memory gives the young generation 100 MB and more. Little lives long in the local
// Azure, and it shares a laptop with the machines that it plays: here the old generation grows to 1.6 times what
// lives, and the young one stays small. bench/durable/README.md has what that saves; `node --v8-options` has the flags.
export const nodeFlags: readonly string[] = ['--max-semi-space-size=16', '--heap-growing-percent=60'];
