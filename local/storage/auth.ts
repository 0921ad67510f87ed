// Who may do what: a bearer token for the storage audience may do everything (role assignments are not looked up), a
// shared access signature what it says. Account keys sign signatures here but no requests.
import type { IncomingMessage } from 'node:http';
import { StorageError } from './errors.ts';
import { checkSas, type SasKeys } from './sas.ts';

/** SAS permission letters: read, create, write, delete, list. */
export type Permission = 'r' | 'c' | 'w' | 'd' | 'l';

export interface Access {
  /** Throws unless at least one of the permissions is there; with none named, only a bearer token will do. */
  require(...permissions: Permission[]): void;
  /** The caller, where it is known; a signature carries nobody. */
  caller?: { oid: string; tenantId: string };
}

export interface Target {
  account: string;
  container: string;
  blob: string;
  snapshot: string;
}

export type VerifyToken = (jwt: string) => Promise<{ oid: string; aud: string }>;

/** Authenticates a request, or throws what Blob Storage would answer. */
export async function authenticate(
  request: IncomingMessage,
  url: URL,
  target: Target,
  keys: SasKeys,
  verifyToken: VerifyToken,
): Promise<Access> {
  if (url.searchParams.has('sig')) return sasAccess(url, target, keys, request.socket.remoteAddress ?? '');
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (!token) {
    const code = request.headers.authorization ? 'AuthenticationFailed' : 'NoAuthenticationInformation';
    throw new StorageError(
      code,
      'Give a bearer token or a shared access signature; requests signed by key are not supported.',
      {
        'www-authenticate':
          'Bearer authorization_uri=https://login.microsoftonline.com/ resource_id=https://storage.azure.com',
      },
    );
  }
  try {
    const { oid, aud } = await verifyToken(token);
    if (!isStorageAudience(aud, target.account)) throw new Error(`The token is for ${aud}`);
    return { require: () => {}, caller: { oid, tenantId: tenantOf(token) } };
  } catch (error) {
    throw new StorageError('InvalidAuthenticationInfo', `The bearer token is not valid: ${String(error)}`);
  }
}

export function sasAccess(url: URL, target: Target, keys: SasKeys, address: string): Access {
  const granted = checkSas(url.searchParams, target, keys, address);
  return {
    require(...permissions) {
      if (permissions.some((permission) => granted.includes(permission))) return;
      throw new StorageError(
        'AuthorizationPermissionMismatch',
        'This request is not authorized to perform this operation using this permission.',
      );
    },
  };
}

function isStorageAudience(audience: string, account: string): boolean {
  const bare = audience.replace(/\/+$/, '');
  return bare === 'https://storage.azure.com' || bare === `https://${account}.blob.core.windows.net`;
}

/** The tenant of a token that has been verified already. */
function tenantOf(token: string): string {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const tid = typeof payload === 'object' && payload !== null && 'tid' in payload ? payload.tid : undefined;
  return typeof tid === 'string' ? tid : '00000000-0000-0000-0000-000000000000';
}
