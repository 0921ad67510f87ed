// One vCenter over HTTPS: its automation API (/api) and the Virtual Infrastructure JSON API (/sdk/vim25), from 8.0 U1 on.
// https://developer.broadcom.com/xapis/vsphere-automation-api/latest/
// https://developer.broadcom.com/xapis/virtual-infrastructure-json-api/latest/
import { z } from 'zod';
import type { VsphereConnection } from '../connections.ts';

/** What vCenter says to a request that it does not carry out: `error_type` of the one API, the fault's type of the other. */
export class VcenterRefusal extends Error {
  readonly kind: string;
  readonly status: number;
  constructor(doing: string, status: number, kind: string, message: string) {
    super(`${doing}: ${message.replace(/\.+$/, '') || kind}`);
    this.kind = kind;
    this.status = status;
  }
}

/** vCenter did not answer, or not as a vCenter does. */
export class VcenterSilence extends Error {}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  withinMs?: number;
}

export interface Vcenter {
  /** A request of the automation API, below /api. Throws `VcenterRefusal` or `VcenterSilence`. */
  api<T>(method: Method, path: string, schema: z.ZodType<T>, options?: Options): Promise<T>;
  /** A method or property of a managed object, below /sdk/vim25/{release}; undefined is an unset property. */
  vim<T>(method: 'GET' | 'POST', path: string, schema: z.ZodType<T>, body?: unknown): Promise<T>;
  /** Managed objects that others are reached by, and the key of the session that `vim` has. */
  about(): Promise<{ authorizationManager: string; sessionKey: string }>;
}

const answerWithinMs = 60_000;
const header = 'vmware-api-session-id';
/** The answer of requests that only do something. */
export const Nothing = z.undefined();
const Content = z.looseObject({
  sessionManager: z.looseObject({ value: z.string() }),
  authorizationManager: z.looseObject({ value: z.string() }),
});
const UserSession = z.looseObject({ key: z.string() });
const ApiError = z.looseObject({
  error_type: z.string(),
  messages: z.array(z.looseObject({ default_message: z.string() })).default([]),
});
const Fault = z.looseObject({
  _typeName: z.string(),
  faultMessage: z.array(z.looseObject({ message: z.string().optional() })).optional(),
});

/** The faults of both APIs that say that a session is over. */
const sessionOver = (error: unknown): boolean =>
  error instanceof VcenterRefusal &&
  (error.status === 401 || error.kind === 'NotAuthenticated' || error.kind === 'UNAUTHENTICATED');

/** A session that is made when it is first needed, and made anew, once, where it turns out to be over. */
function withSession<S>(login: () => Promise<S>): <T>(work: (session: S) => Promise<T>) => Promise<T> {
  let session: Promise<S> | undefined;
  return async (work) => {
    const known = session;
    session ??= login();
    const used = session;
    try {
      return await work(await used);
    } catch (error) {
      if (session === used) session = undefined;
      if (known === undefined || !sessionOver(error)) throw error;
      session ??= login();
      return work(await session);
    }
  };
}

/** `password` is asked for at each login: where it comes from may have changed meanwhile. */
export function vcenterAt({ url, user, release }: VsphereConnection, password: () => string): Vcenter {
  const base = url.replace(/\/+$/, '');

  async function send(method: Method, path: string, { body, headers, withinMs = answerWithinMs }: Options) {
    const doing = `${method} ${path}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        // A redirect could lead to an address that nobody has named, and take the session along.
        redirect: 'error',
        signal: AbortSignal.timeout(withinMs),
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (error) {
      const { message, cause } = error as Error;
      throw new VcenterSilence(`${doing}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
    }
    const answer = parse(text, doing, response.ok);
    if (response.ok) return { answer, headers: response.headers };
    throw refusalOf(doing, response.status, answer);
  }

  async function ask<T>(method: Method, path: string, schema: z.ZodType<T>, options: Options): Promise<T> {
    const { answer } = await send(method, path, options);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new VcenterSilence(`${method} ${path}: not the answer of a vCenter: ${z.prettifyError(parsed.error)}`);
  }

  const vimPath = (path: string): string => `/sdk/vim25/${release}${path}`;
  const apiSession = withSession(() => {
    const basic = Buffer.from(`${user}:${password()}`).toString('base64');
    return ask('POST', '/api/session', z.string(), { headers: { authorization: `Basic ${basic}` } });
  });
  const vimSession = withSession(async () => {
    const content = await ask('GET', vimPath('/ServiceInstance/ServiceInstance/content'), Content, {});
    const { answer, headers } = await send('POST', vimPath(`/SessionManager/${content.sessionManager.value}/Login`), {
      body: { userName: user, password: password() },
    });
    const token = headers.get(header);
    if (token === null) throw new VcenterSilence('a login brought no session');
    const { key } = UserSession.parse(answer);
    return { token, sessionKey: key, authorizationManager: content.authorizationManager.value };
  });

  return {
    api: (method, path, schema, options = {}) =>
      apiSession((token) =>
        ask(method, `/api${path}`, schema, { ...options, headers: { ...options.headers, [header]: token } }),
      ),
    vim: (method, path, schema, body) =>
      vimSession(({ token }) =>
        ask(method, vimPath(path), schema, { ...(body === undefined ? {} : { body }), headers: { [header]: token } }),
      ),
    about: () => vimSession(async ({ sessionKey, authorizationManager }) => ({ sessionKey, authorizationManager })),
  };
}

function parse(text: string, doing: string, isOk: boolean): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    if (!isOk) return undefined;
    throw new VcenterSilence(`${doing}: the answer is no JSON`);
  }
}

function refusalOf(doing: string, status: number, answer: unknown): VcenterRefusal {
  const error = ApiError.safeParse(answer);
  if (error.success) {
    const { error_type: kind, messages } = error.data;
    return new VcenterRefusal(doing, status, kind, messages.map((one) => one.default_message).join(' '));
  }
  const fault = Fault.safeParse(answer);
  if (!fault.success) return new VcenterRefusal(doing, status, '', `it answered ${status}`);
  const { _typeName: kind, faultMessage = [] } = fault.data;
  return new VcenterRefusal(doing, status, kind, faultMessage.flatMap(({ message }) => message ?? []).join(' '));
}
