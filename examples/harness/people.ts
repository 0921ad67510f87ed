// Tokens of the people that the local tenant declares, by the grant that only the local issuer knows.
import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';

const Granted = z.object({ access_token: z.string(), expires_in: z.number() });
const renewBeforeMs = 5 * 60_000;

export class Person implements TokenCredential {
  readonly name: string;
  readonly #issuer: () => string;
  readonly #tokens = new Map<string, { token: string; expiresOnTimestamp: number }>();

  /** `issuer` is asked each time: it may be another one after a restart. */
  constructor(name: string, issuer: () => string) {
    this.name = name;
    this.#issuer = issuer;
  }

  /** A bearer token for Landfall's HTTP API. */
  async token(): Promise<string> {
    return (await this.getToken('api://landfall/.default')).token;
  }

  /** What this person's tokens are about, and what the app records as who did something. */
  async subject(): Promise<string> {
    const [, claims = ''] = (await this.token()).split('.');
    return z.object({ sub: z.string() }).parse(JSON.parse(Buffer.from(claims, 'base64url').toString())).sub;
  }

  /** Makes a person a credential for the Azure SDKs. */
  async getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number }> {
    const scope = [scopes].flat().join(' ');
    const known = this.#tokens.get(scope);
    if (known && known.expiresOnTimestamp - Date.now() > renewBeforeMs) return known;
    const response = await fetch(this.#issuer().replace('/v2.0', '/oauth2/v2.0/token'), {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:landfall:local-user', user: this.name, scope }),
    });
    if (!response.ok) throw new Error(`No token for ${this.name}: ${await response.text()}`);
    const { access_token: token, expires_in } = Granted.parse(await response.json());
    const granted = { token, expiresOnTimestamp: Date.now() + expires_in * 1000 };
    this.#tokens.set(scope, granted);
    return granted;
  }
}
