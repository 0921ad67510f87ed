// Entra ID's part of the local Azure: a token issuer with OpenID discovery, and the managed-identity endpoint that App
// Service gives its apps. There are no passwords: whoever reaches the loopback port may ask for a token of any declared
// user, by a grant type that exists nowhere else. It must never be reachable from another machine.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { closeServer, isLoopbackHost, listenOnLoopback, readBody } from '../loopback.ts';
import { openTokens, type Principal, type Tokens, type Verified, writeSecret } from './tokens.ts';

export type { Verified } from './tokens.ts';

export interface LocalUser {
  name: string;
  oid: string;
  roles: string[];
  /** The directory groups that tokens name in their claim `groups`. */
  groups?: string[] | undefined;
}

export interface ManagedIdentity {
  name: string;
  clientId: string;
  principalId: string;
}

export interface IdentityOptions {
  /** Keeps the signing key and the identity header; undefined makes new ones in memory. */
  dataDir?: string | undefined;
  port?: number;
  log?: (line: string) => void;
  tenantId: string;
  users: LocalUser[];
  /** The first one answers where the app asks without a client id. */
  managedIdentities: ManagedIdentity[];
}

export interface RunningIdentity {
  endpoint: string;
  issuer: string;
  jwksUri: string;
  /** The value for IDENTITY_ENDPOINT. */
  identityEndpoint: string;
  /** The value for IDENTITY_HEADER. */
  identityHeader: string;
  /** Throws on a bad signature, issuer, expiry or, where given, audience. */
  verifyToken(jwt: string, audience?: string): Promise<Verified>;
  /** A token for a declared user, or a managed identity by name. */
  tokenFor(user: string, audience: string): Promise<string>;
  stop(): Promise<void>;
}

/** The grant that names a local user and proves nothing; a real tenant answers `unsupported_grant_type`. */
export const localUserGrant = 'urn:landfall:local-user';

const USER_TOKEN_SECONDS = 3600;
const IDENTITY_TOKEN_SECONDS = 24 * 3600;

class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  constructor(status: number, body: object) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
  }
}

export async function startIdentity(options: IdentityOptions): Promise<RunningIdentity> {
  const { dataDir, tenantId, users, managedIdentities, log = () => {} } = options;
  const identityHeader = loadIdentityHeader(dataDir);
  let answer: (request: IncomingMessage) => Promise<object> = () => Promise.reject(new Refusal(503, {}));

  const server = createServer((request, response) => {
    answer(request).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        log(`${request.method} ${request.url?.split('?')[0]}: ${String(error)}`);
        if (error instanceof Refusal) send(response, error.status, error.body);
        else send(response, 500, { error: 'server_error', error_description: String(error) });
      },
    );
  });
  const port = await listenOnLoopback(server, options.port);
  const endpoint = `http://localhost:${port}`;
  const issuer = `${endpoint}/${tenantId}/v2.0`;
  const jwksUri = `${endpoint}/${tenantId}/discovery/v2.0/keys`;
  const tokenEndpoint = `${endpoint}/${tenantId}/oauth2/v2.0/token`;
  const tokens = await openTokens(dataDir, issuer, tenantId);

  const routes: Record<string, (request: IncomingMessage, url: URL) => Promise<object>> = {
    [`GET /${tenantId}/v2.0/.well-known/openid-configuration`]: async () => ({
      issuer,
      jwks_uri: jwksUri,
      token_endpoint: tokenEndpoint,
      grant_types_supported: [localUserGrant],
      response_types_supported: ['token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
    }),
    [`GET /${tenantId}/discovery/v2.0/keys`]: async () => ({ keys: [tokens.jwk] }),
    [`POST /${tenantId}/oauth2/v2.0/token`]: async (request) => grantToUser(request, users, tokens),
    'GET /msi/token': async (request, url) => {
      requireHeader(request, identityHeader);
      return grantToManagedIdentity(url, managedIdentities, tokens);
    },
  };
  answer = async (request) => {
    if (!isLoopbackHost(request))
      throw new Refusal(403, { error: 'access_denied', error_description: 'loopback only' });
    const url = new URL(request.url ?? '/', endpoint);
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route)
      throw new Refusal(404, { error: 'not_found', error_description: 'The local issuer has no such endpoint' });
    return route(request, url);
  };

  return {
    endpoint,
    issuer,
    jwksUri,
    identityEndpoint: `${endpoint}/msi/token`,
    identityHeader,
    verifyToken: tokens.verify,
    async tokenFor(name, audience) {
      const user = users.find((candidate) => candidate.name === name);
      if (user) return tokens.issue(userPrincipal(user), audience, USER_TOKEN_SECONDS);
      const identity = managedIdentities.find((candidate) => candidate.name === name);
      if (!identity) throw new Error(`The local tenant has no user or managed identity '${name}'`);
      return tokens.issue(identityPrincipal(identity), audience, IDENTITY_TOKEN_SECONDS);
    },
    stop: () => closeServer(server),
  };
}

async function grantToUser(request: IncomingMessage, users: LocalUser[], tokens: Tokens): Promise<object> {
  const form = new URLSearchParams((await readBody(request, 65_536)).toString('utf8'));
  if (form.get('grant_type') !== localUserGrant) {
    throw new Refusal(400, {
      error: 'unsupported_grant_type',
      error_description: `The local issuer is a simulation and knows only the grant type ${localUserGrant}`,
    });
  }
  const user = users.find(({ name }) => name === form.get('user'));
  if (!user) throw new Refusal(400, { error: 'invalid_grant', error_description: 'The local tenant has no such user' });
  const audience = form.get('resource') ?? form.get('scope')?.replace(/\/\.default$/, '');
  if (!audience) throw new Refusal(400, { error: 'invalid_scope', error_description: 'Give a scope or a resource' });
  const token = await tokens.issue(userPrincipal(user), audience, USER_TOKEN_SECONDS);
  return { token_type: 'Bearer', access_token: token, expires_in: USER_TOKEN_SECONDS, scope: form.get('scope') };
}

// https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
async function grantToManagedIdentity(url: URL, identities: ManagedIdentity[], tokens: Tokens): Promise<object> {
  const query = url.searchParams;
  if (query.get('api-version') !== '2019-08-01') throw badIdentityRequest('Only api-version 2019-08-01 is supported');
  const resource = query.get('resource');
  if (!resource) throw badIdentityRequest('The resource parameter is missing');
  if (query.has('mi_res_id')) throw badIdentityRequest('The local endpoint knows client_id and object_id only');
  const clientId = query.get('client_id');
  const objectId = query.get('object_id') ?? query.get('principal_id');
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const identity = identities.find(
    (candidate) =>
      (!clientId || same(candidate.clientId, clientId)) && (!objectId || same(candidate.principalId, objectId)),
  );
  if (!identity) throw badIdentityRequest('No managed identity found for the given id');
  const token = await tokens.issue(identityPrincipal(identity), resource, IDENTITY_TOKEN_SECONDS);
  const expiresOn = Math.floor(Date.now() / 1000) + IDENTITY_TOKEN_SECONDS;
  return {
    access_token: token,
    client_id: identity.clientId,
    expires_on: String(expiresOn),
    resource,
    token_type: 'Bearer',
  };
}

function badIdentityRequest(message: string): Refusal {
  return new Refusal(400, { statusCode: 400, message });
}

function requireHeader(request: IncomingMessage, expected: string): void {
  const given = Buffer.from(String(request.headers['x-identity-header'] ?? ''));
  if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected))) {
    throw new Refusal(401, { statusCode: 401, message: 'X-IDENTITY-HEADER is missing or wrong' });
  }
}

function userPrincipal({ oid, name, roles, groups }: LocalUser): Principal {
  return { oid, name, roles, ...(groups && { groups }), preferredUsername: `${name}@landfall.local` };
}

function identityPrincipal({ name, clientId, principalId }: ManagedIdentity): Principal {
  return { oid: principalId, name, appid: clientId };
}

function loadIdentityHeader(dataDir: string | undefined): string {
  const path = dataDir === undefined ? undefined : join(dataDir, 'identity', 'header');
  if (path && existsSync(path)) return readFileSync(path, 'utf8');
  const header = randomBytes(24).toString('hex');
  if (path) writeSecret(path, header);
  return header;
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
