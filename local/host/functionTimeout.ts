// The limit of host.json's `functionTimeout` for one invocation. A handler shares this process, so it cannot be ended: its
// invocation has failed, and whatever it still does goes on unseen. The real host ends the worker instead.

import { inTime } from './within.ts';

/** Rejects when the work takes longer than `limit` milliseconds; undefined is no limit. */
export async function withinTimeout<T>(work: Promise<T>, limit: number | undefined, functionName: string): Promise<T> {
  // setTimeout cannot wait longer than this.
  if (limit === undefined || limit > 2 ** 31 - 1) return work;
  const late = () => new Error(`Timeout value of ${written(limit)} was exceeded by function: ${functionName}`);
  return inTime(limit, work, late);
}

function written(milliseconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const seconds = milliseconds / 1000;
  const rest = milliseconds % 1000;
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`;
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${fraction}`;
}
