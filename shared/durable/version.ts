// Which orchestrations this code is. A wave keeps the version it was started with, and so do all of its
// orchestrations, however often the app is deployed meanwhile: code that replays them takes the path of that version.
// host.json names the same version and `CurrentOrOlder`, so that a host with older code leaves newer instances alone
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning).

/** Raised with every change to what orchestrations do in which order; the old path stays behind `ctx.since`. */
export const codeVersion = '1.1';

/** Whether an instance's version (none: older than any) is at least another one. Versions are numbers between dots. */
export function isAtLeast(version: string | undefined, wanted: string): boolean {
  const [has, needs] = [numbers(version ?? ''), numbers(wanted)];
  for (let place = 0; place < needs.length; place++) {
    const difference = (has[place] ?? -1) - (needs[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] {
  return version === '' ? [] : version.split('.').map(Number);
}
