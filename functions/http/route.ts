// One HTTP function as data. `answer` does for all of them what no handler should repeat: authenticate, authorize, turn
// failures into problem details.
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Capabilities } from '../../shared/capabilities.ts';
import { type Person, type Role, roles } from '../../shared/policy/people.ts';
import type { Orchestrations } from '../orchestrations.ts';
import { authenticate, authorize } from './authenticate.ts';
import { problemOf } from './problem.ts';

export interface Call {
  capabilities: Capabilities;
  orchestrations: Orchestrations;
  request: HttpRequest;
  /** A route parameter. */
  param(name: string): string;
}

interface Common {
  name: string;
  method: 'GET' | 'PUT' | 'POST';
  /** Below `/api/`. */
  path: string;
}
/** A route for people with one of the roles; what anyone may call checks its callers itself, and `person` is nobody. */
export interface Route extends Common {
  allowed: readonly Role[] | 'anyone';
  handle(call: Call & { person: Person }): Promise<HttpResponseInit>;
}

const nobody: Person = { subject: '', name: '', roles: [] };

/** Any role may read. */
export const readers: readonly Role[] = roles;

/** Runs a route for a request; never throws. */
export async function answer(
  route: Route,
  request: HttpRequest,
  reach: () => { capabilities: Capabilities; orchestrations: Orchestrations },
  log: (line: string) => void,
): Promise<HttpResponseInit> {
  try {
    const { capabilities, orchestrations } = reach();
    const call: Call = { capabilities, orchestrations, request, param: (name) => request.params[name] ?? '' };
    if (route.allowed === 'anyone') return await route.handle({ ...call, person: nobody });
    const person = await authenticate(request, capabilities.config);
    authorize(person, route.allowed);
    return await route.handle({ ...call, person });
  } catch (error) {
    return problemOf(error, new URL(request.url).pathname, log);
  }
}

/** An answer with a JSON body. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): HttpResponseInit {
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
