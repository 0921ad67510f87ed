// Who may do what: SAS tokens by the configured keys, Entra tokens by whoever can verify them.
import type { Clock } from '../core/environment.ts';
import { BusError } from '../core/errors.ts';
import { type AuthorizationRule, type Grant, type Right, resourcePath, verifySas, within } from './sas.ts';

/** Verifies an Entra access token; throws if it is not valid. `exp` is in seconds, `aud` whom it is for. */
export type VerifyToken = (jwt: string) => Promise<{ oid: string; exp?: number; aud?: string }>;

const ownAudience = /^https:\/\/servicebus\.azure\.net\/*$/;

const everything: ReadonlySet<Right> = new Set<Right>(['Manage', 'Send', 'Listen']);

export class Authorizer {
  readonly #rules: readonly AuthorizationRule[];
  readonly #verifyToken: VerifyToken | undefined;
  readonly #clock: Clock;

  constructor(rules: readonly AuthorizationRule[], verifyToken: VerifyToken | undefined, clock: Clock) {
    this.#rules = rules;
    this.#verifyToken = verifyToken;
    this.#clock = clock;
  }

  /** Checks a token that was put for an audience; what it grants is limited to that audience. */
  async putToken(type: string, token: string, audience: string): Promise<Grant> {
    const grant = await this.#grant(type, token);
    const path = resourcePath(audience);
    if (!within(path, grant.path)) {
      throw new BusError('amqp:unauthorized-access', `The token's resource does not cover the audience '${audience}'.`);
    }
    return { ...grant, path };
  }

  /** Checks the Authorization header of an administration request on `path`, which needs Manage. */
  async manage(header: string | undefined, path: string): Promise<void> {
    if (!header) throw new BusError('amqp:unauthorized-access', 'MissingToken: the Authorization header is required.');
    const bearer = /^Bearer\s+(.+)$/i.exec(header)?.[1];
    const grant = bearer ? await this.#grant('jwt', bearer) : await this.#grant('sas', header);
    if (!within(path.toLowerCase(), grant.path) || !grant.rights.has('Manage')) {
      throw new BusError('amqp:unauthorized-access', 'Manage claim is required for this operation.');
    }
  }

  async #grant(type: string, token: string): Promise<Grant> {
    const now = this.#clock.now();
    if (type !== 'jwt') return verifySas(token, this.#rules, now);
    if (!this.#verifyToken) throw new BusError('amqp:unauthorized-access', 'Entra tokens are not accepted here.');
    const claims = await this.#verifyToken(token).catch((error: unknown) => {
      throw new BusError(
        'amqp:unauthorized-access',
        `InvalidToken: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    if (claims.aud !== undefined && !ownAudience.test(claims.aud)) {
      throw new BusError('amqp:unauthorized-access', `InvalidAudience: the token is for ${claims.aud}.`);
    }
    const expiresAt = (claims.exp ?? expiryOf(token) ?? now / 1000 + 3600) * 1000;
    if (expiresAt <= now) throw new BusError('amqp:unauthorized-access', 'ExpiredToken: the token has expired.');
    return { path: '', rights: everything, expiresAt };
  }
}

function expiryOf(jwt: string): number | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const exp = payload && typeof payload === 'object' && 'exp' in payload ? payload.exp : undefined;
    return typeof exp === 'number' ? exp : undefined;
  } catch {
    return undefined;
  }
}
