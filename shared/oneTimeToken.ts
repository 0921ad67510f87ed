// One-time tokens with which an appliance enrols: made here, kept as a hash, told once to whoever starts the appliance.
import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import { hashOfToken } from './hash.ts';
import type { Bootstrap } from './protocol/enrolment.ts';

/** How long a token may be used. */
export const tokenLifeMs = 2 * 3_600_000;

/** A token, and what is kept of it; `now` is ISO 8601. */
export function issueToken(now: string): { token: string; tokenHash: string; tokenExpiresAt: string } {
  const token = randomBytes(32).toString('base64url');
  const tokenExpiresAt = new Date(Date.parse(now) + tokenLifeMs).toISOString();
  return { token, tokenHash: hashOfToken(token), tokenExpiresAt };
}

/** What an appliance is started with. */
export function bootstrapOf(config: Config, kind: Bootstrap['kind'], token: string): Bootstrap {
  return { enrolUrl: `${config.LANDFALL_PUBLIC_URL}/api/appliances/enrol`, token, kind };
}
