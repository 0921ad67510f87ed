// Planned faults, for tests and rehearsals: the next matching request is answered with an error, or the operation that
// it starts fails. A fault is used up by the requests that it hits.
import { ArmError } from './errors.ts';

export interface Fault {
  readonly method?: string;
  /** Part of the action, as in `virtualMachines/write`; case does not count. */
  readonly action?: string;
  /** Part of the path; case does not count. */
  readonly path?: string;
  /** How many requests it lets by first; none by default. */
  after?: number;
  /** How many requests it hits; 1 by default. */
  times?: number;
  /** Answer the request with this error. */
  readonly answer?: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Accept the request and let its operation fail. */
  readonly failOperation?: { readonly code: string; readonly message: string };
}

/** Throws the planned answer, or returns the error with which the operation of this request is to fail. */
export function strike(
  faults: Fault[],
  request: { method: string; path: string; action: string },
): { code: string; message: string } | undefined {
  const includes = (whole: string, wanted: string | undefined): boolean =>
    wanted === undefined || whole.toLowerCase().includes(wanted.toLowerCase());
  const index = faults.findIndex(
    ({ method, action, path }) =>
      (method ?? request.method) === request.method && includes(request.action, action) && includes(request.path, path),
  );
  const fault = faults[index];
  if (!fault) return undefined;
  if (fault.after) {
    fault.after--;
    return undefined;
  }
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(index, 1);
  if (!fault.answer) return fault.failOperation;
  const { status, code, message, headers } = fault.answer;
  throw new ArmError(status, code, message, headers);
}
