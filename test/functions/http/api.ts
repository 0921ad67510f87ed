// The HTTP API as callers see it, without a host: tokens from the local issuer, requests through the routes.
import { HttpRequest } from '@azure/functions';
import { afterAll } from 'vitest';
import { answer } from '../../../functions/http/route.ts';
import { routes } from '../../../functions/http/routes.ts';
import type { Orchestrations } from '../../../functions/orchestrations.ts';
import { startIdentity } from '../../../local/identity/server.ts';
import { config, fakeReach } from '../../fakes/reach.ts';

const audience = config.LANDFALL_AUTH_AUDIENCE;
const user = (name: string, n: number, ...roles: string[]) => ({
  name,
  oid: `11111111-1111-4111-8111-11111111110${n}`,
  roles,
});
export const users = {
  ada: user('ada', 1, 'planner', 'operator', 'administrator'),
  grace: user('grace', 2, 'approver'),
  linus: user('linus', 3, 'approver', 'operator'),
  alan: user('alan', 4, 'reader'),
  nobody: user('nobody', 5),
};
export type User = keyof typeof users;

export class FakeOrchestrations implements Orchestrations {
  readonly started: { name: string; instanceId: string; input: unknown }[] = [];
  readonly raised: { instanceId: string; event: string; data: unknown }[] = [];
  readonly standings = new Map<string, 'absent' | 'active' | 'ended'>();
  broken = false;

  async start(name: string, instanceId: string, input: unknown): Promise<void> {
    if (this.broken) throw new Error('the durable runtime is gone');
    this.started.push({ name, instanceId, input });
    this.standings.set(instanceId, 'active');
  }
  async standing(instanceId: string) {
    return this.standings.get(instanceId) ?? 'absent';
  }
  async raise(instanceId: string, event: string, data: unknown): Promise<void> {
    if (this.broken) throw new Error('the durable runtime is gone');
    this.raised.push({ instanceId, event, data });
  }
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
}
export interface Ask {
  as?: User;
  token?: string;
  body?: unknown;
  text?: string;
  type?: string;
  headers?: Record<string, string>;
}

/** One issuer for a test file, and fresh capabilities behind the routes for each `api()`. */
export async function startApi() {
  const identity = await startIdentity({
    tenantId: '6f1f3c2a-5f0e-4d4e-9a5b-0c7d8e9f0a1b',
    users: Object.values(users),
    managedIdentities: [],
  });
  afterAll(() => identity.stop());
  const auth = { LANDFALL_AUTH_ISSUER: identity.issuer, LANDFALL_AUTH_JWKS_URL: identity.jwksUri };

  return {
    identity,
    /** `changed` hears of every write to the store. */
    api(changed?: Parameters<typeof fakeReach>[0]) {
      const reach = fakeReach(changed);
      reach.config = { ...config, ...auth };
      const orchestrations = new FakeOrchestrations();
      const log: string[] = [];
      const ask = async (
        method: string,
        path: string,
        { as, token, body, text, type = 'application/json', headers = {} }: Ask = {},
      ): Promise<Answer> => {
        const url = new URL(path, 'http://127.0.0.1:7071');
        const found = routes
          .map((route) => ({ route, params: match(route.path, url.pathname) }))
          .find(({ route, params }) => route.method === method && params !== undefined);
        if (found?.params === undefined) throw new Error(`no route ${method} ${path}`);
        const bearer = token ?? (as && (await identity.tokenFor(as, audience)));
        const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
        const request = new HttpRequest({
          method,
          url: url.href,
          params: found.params,
          query: Object.fromEntries(url.searchParams),
          headers: {
            ...headers,
            ...(sent === undefined ? {} : { 'content-type': type }),
            ...(bearer && { authorization: `Bearer ${bearer}` }),
          },
          ...(sent === undefined ? {} : { body: { string: sent } }),
        });
        const {
          status = 200,
          headers: answered = {},
          body: content,
        } = await answer(
          found.route,
          request,
          () => ({ capabilities: reach, orchestrations }),
          (line) => log.push(line),
        );
        return { status, headers: answered as Record<string, string>, body: JSON.parse(String(content)) };
      };
      return { ask, reach, orchestrations, log };
    },
  };
}

function match(template: string, path: string): Record<string, string> | undefined {
  const wanted = `api/${template}`.split('/');
  const given = path.slice(1).split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name !== undefined) params[name] = decodeURIComponent(given[index] ?? '');
    else if (part !== given[index]) return undefined;
  }
  return params;
}
