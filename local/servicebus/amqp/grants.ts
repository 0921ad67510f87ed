// The tokens that one connection has shown.
import { type Grant, type Right, within } from '../auth/sas.ts';
import { BusError } from '../core/errors.ts';

export class Grants {
  readonly #byPath = new Map<string, Grant>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A later token for the same audience takes the place of the earlier one. */
  add(grant: Grant): void {
    this.#byPath.set(grant.path, grant);
  }

  /** Whether a token that covers the path and is still good gives the right (any right, if none is named). */
  allow(path: string, right: Right | undefined): boolean {
    for (const grant of this.#byPath.values()) {
      const gives = right === undefined ? grant.rights.size > 0 : grant.rights.has(right);
      if (gives && grant.expiresAt > this.#now() && within(path.toLowerCase(), grant.path)) return true;
    }
    return false;
  }

  require(path: string, right: Right | undefined): void {
    if (this.allow(path, right)) return;
    const claim = right ? `${right} claim` : 'A claim';
    throw new BusError('amqp:unauthorized-access', `Unauthorized access. ${claim} is required for '${path}'.`);
  }
}
