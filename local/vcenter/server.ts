// A vCenter in one process, for tests and examples of the vSphere host: sessions, virtual machines with power, adapters,
// snapshots and tracked changes, libraries whose items become machines. It was written from the public API references and
// never compared with a real vCenter. Machines are data: nothing runs in them, except the process that an item's image
// starts. There are no permissions per object, no clusters, no events, no TLS. Whatever else is asked answers NotSimulated.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { closeServer, isLoopbackHost, listenOnLoopback, readBody } from '../loopback.ts';
import { automationRoutes, type Call, type Route } from './automation.ts';
import { type DeclaredUser, invalid, notSimulated, Refusal, unauthenticated, type VcenterOptions } from './contract.ts';
import { Inventory } from './inventory.ts';
import type { Machine } from './machine.ts';
import { reference, vimRoutes } from './vim.ts';

export interface RunningVcenter {
  endpoint: string;
  /** A machine as it is, to look at and to write to. */
  machine(id: string): Machine;
  machineNamed(name: string): Machine | undefined;
  /** Ends all sessions, as time does. */
  endSessions(): void;
  /** Requests that were answered, such as `POST /api/vcenter/vm/vm-1/power?action=stop`. */
  readonly requests: string[];
  stop(): Promise<void>;
}

const header = 'vmware-api-session-id';
const releases = new Set(['8.0.1.0', '8.0.2.0', '8.0.3.0']);

export async function startVcenter(options: VcenterOptions): Promise<RunningVcenter> {
  const inventory = new Inventory(options);
  const sessions = new Map<string, { user: DeclaredUser; key: string }>();
  const requests: string[] = [];
  const { log = () => {} } = options;

  const logIn = (name: string, password: string): { token: string; key: string } => {
    const user = options.users.find((one) => one.name === name && one.password === password);
    if (user === undefined)
      throw new Refusal(401, 'UNAUTHENTICATED', 'InvalidLogin', 'User name or password is wrong.');
    const [token, key] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    sessions.set(token, { user, key });
    return { token, key };
  };
  const sessionOf = ({ headers }: IncomingMessage): { user: DeclaredUser; key: string } => {
    const session = sessions.get(String(headers[header]));
    if (session === undefined) throw unauthenticated();
    return session;
  };

  const answer = async (request: IncomingMessage): Promise<{ status: number; body?: unknown; token?: string }> => {
    if (!isLoopbackHost(request)) throw new Refusal(403, 'UNAUTHORIZED', 'NoPermission', 'loopback only');
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const text = (await readBody(request)).toString('utf8');
    requests.push(`${method} ${url.pathname}${url.search}`);
    if (url.pathname === '/api/session') return ownSession(request, method);
    const vim = /^\/sdk\/vim25\/([^/]+)(\/.*)$/.exec(url.pathname);
    if (vim === null && !url.pathname.startsWith('/api/')) throw notSimulated(`${method} ${url.pathname}`);
    const [, release = '', vimPath = ''] = vim ?? [];
    if (vim !== null && !releases.has(release)) throw notSimulated(`release ${release}`);
    if (vimPath === '/ServiceInstance/ServiceInstance/content') return { status: 200, body: content() };
    if (vimPath === '/SessionManager/SessionManager/Login') {
      const { userName, password } = JSON.parse(text) as { userName: string; password: string };
      const { token, key } = logIn(userName, password);
      return { status: 200, token, body: { _typeName: 'UserSession', key, userName } };
    }
    const path = vim === null ? url.pathname.slice('/api'.length) : vimPath;
    const routes: Route[] = vim === null ? automationRoutes : vimRoutes;
    const { user, key: sessionKey } = sessionOf(request);
    const route = routes.find(([of, pattern]) => of === method && pattern.test(path));
    if (route === undefined) throw notSimulated(`${method} ${url.pathname}`);
    const clientToken = request.headers['client-token'];
    const call: Call = {
      ...{ inventory, user, sessionKey, params: route[1].exec(path)?.slice(1) ?? [], query: url.searchParams },
      clientToken: typeof clientToken === 'string' ? clientToken : undefined,
      body: (schema) => parsed(text, schema),
    };
    const body = await route[2](call);
    return { status: body === undefined && vim === null ? 204 : 200, body };
  };

  const ownSession = (request: IncomingMessage, method: string) => {
    if (method === 'DELETE') {
      sessions.delete(String(request.headers[header]));
      return { status: 204 };
    }
    if (method !== 'POST') throw notSimulated(`${method} /api/session`);
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const [name = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    return { status: 201, body: logIn(name, password.join(':')).token };
  };

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body, token }) => {
        if (token !== undefined) response.setHeader(header, token);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      },
      (error: unknown) => {
        const refusal =
          error instanceof Refusal ? error : new Refusal(500, 'INTERNAL_SERVER_ERROR', 'SystemError', String(error));
        log(`${request.method} ${request.url?.split('?')[0]}: ${refusal.message}`);
        const isVim = request.url?.startsWith('/sdk/') === true;
        response.writeHead(isVim && refusal.status < 500 && refusal.status !== 401 ? 500 : refusal.status, {
          'content-type': 'application/json',
        });
        response.end(JSON.stringify(isVim ? faultOf(refusal) : errorOf(refusal)));
      },
    );
  });
  const port = await listenOnLoopback(server, options.port);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    machine: (id) => inventory.machine(id),
    machineNamed: (name) => [...inventory.machines.values()].find((machine) => machine.name === name),
    endSessions: () => sessions.clear(),
    requests,
    async stop() {
      await closeServer(server);
      await inventory.stop();
    },
  };
}

function parsed<T>(text: string, schema: z.ZodType<T>): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw invalid('The body is no JSON.');
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

const content = () => ({
  _typeName: 'ServiceContent',
  sessionManager: reference('SessionManager', 'SessionManager'),
  authorizationManager: reference('AuthorizationManager', 'AuthorizationManager'),
});

const errorOf = ({ type, message }: Refusal) => ({
  error_type: type,
  messages: [{ id: 'landfall.local.vcenter', default_message: message, args: [] }],
});

const faultOf = ({ fault, message }: Refusal) => ({
  _typeName: fault,
  faultMessage: [{ _typeName: 'LocalizableMessage', key: 'landfall.local.vcenter', message }],
});
