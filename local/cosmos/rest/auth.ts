// Who may ask. A master key may do everything; an Entra token is for data only, as in Azure, where databases and
// containers are made through Resource Manager. Resource tokens and SAS are not supported.
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { CosmosError } from '../errors.ts';
import { header, type Request } from './message.ts';

type Principal = { kind: 'master' } | { kind: 'entra'; oid: string };

/** Checks an Entra token; `aud` says whom it is for. */
export type VerifyToken = (jwt: string) => Promise<{ oid: string; aud?: string }>;

export interface AuthOptions {
  masterKey?: string | undefined;
  verifyToken?: VerifyToken | undefined;
}

const unauthorized = (message: string) => new CosmosError(401, 'Unauthorized', message);

/** Checks the `authorization` header; throws 401. */
export async function authenticate(request: Request, options: AuthOptions): Promise<Principal> {
  const sent = header(request, 'authorization');
  if (!sent) throw unauthorized('Required header authorization is missing.');
  const fields = new Map(
    decode(sent)
      .split('&')
      .map((field): [string, string] => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)];
      }),
  );
  const signature = fields.get('sig') ?? '';
  if (fields.get('type') === 'master') return masterKey(request, signature, options.masterKey);
  if (fields.get('type') === 'aad') return entraToken(request, signature, options.verifyToken);
  throw unauthorized('The authorization header must be of type master or aad.');
}

/** What a token's holder may not do in the data plane: 403 with the service's substatus 5300. */
export function requireDataPlane(principal: Principal, request: Request): void {
  if (principal.kind === 'master' || request.method === 'GET' || request.path[4] === 'docs') return;
  throw new CosmosError(
    403,
    'Forbidden',
    `The given request [${request.method} /${request.path.join('/')}] cannot be authorized by AAD token in data plane. Principal ${principal.oid}.`,
    5300,
  );
}

function masterKey(request: Request, signature: string, key: string | undefined): Principal {
  if (key === undefined) throw unauthorized('Local authorization with keys is disabled for this account.');
  const date = (header(request, 'x-ms-date') ?? '').toLowerCase();
  const isFeed = request.path.length % 2 === 1;
  const type = request.path.at(isFeed ? -1 : -2) ?? '';
  const path = isFeed ? request.path.slice(0, -1) : request.path;
  // An offer is signed by its id alone.
  const link = path[0] === 'offers' ? (path[1] ?? '').toLowerCase() : path.join('/');
  // https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources#constructkeytoken
  const text = `${request.method.toLowerCase()}\n${type.toLowerCase()}\n${link}\n${date}\n\n`;
  const expected = createHmac('sha256', secretOf(key)).update(text).digest();
  const given = Buffer.from(signature, 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw unauthorized(
      "The input authorization token can't serve the request. The wrong key is being used or the expected payload is not built as per the protocol.",
    );
  }
  return { kind: 'master' };
}

/** Every request is signed with the same key, and to make it ready takes as long as to use it. */
function secretOf(key: string): KeyObject {
  if (lastSecret?.key !== key) lastSecret = { key, secret: createSecretKey(Buffer.from(key, 'base64')) };
  return lastSecret.secret;
}
let lastSecret: { key: string; secret: KeyObject } | undefined;

async function entraToken(request: Request, jwt: string, verify: VerifyToken | undefined): Promise<Principal> {
  if (!verify) throw unauthorized('This account accepts no Entra tokens.');
  try {
    const { oid, aud } = await verify(jwt);
    if (aud !== undefined && !isFor(aud, request)) throw new Error(`it is for ${aud}`);
    return { kind: 'entra', oid };
  } catch (cause) {
    throw unauthorized(`The token is not valid: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Whether an audience is this account, by whichever name the client came, or all of Cosmos DB. */
function isFor(audience: string, { origin }: Request): boolean {
  const name = audience.replace(/\/$/, '');
  return name === ANY_ACCOUNT || name === origin || name === origin.replace('127.0.0.1', 'localhost');
}

// https://learn.microsoft.com/azure/cosmos-db/how-to-connect-role-based-access-control
const ANY_ACCOUNT = 'https://cosmos.azure.com';

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
