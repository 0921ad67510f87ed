// Signed requests to the platform over HTTPS: tokens for the bus, access to one staging blob, and to one agent's machine.
import type { z } from 'zod';
import { AgentBootstrap, SshCredential } from '../../shared/protocol/agentAccess.ts';
import { BlobAccess, BusAccess } from '../../shared/protocol/enrolment.ts';
import { signRequest } from '../../shared/protocol/signing.ts';
import { messageOf } from '../log.ts';
import { send } from '../net/http.ts';
import { isBusy, Retryable, retryAfterMs } from '../net/retry.ts';
import { Problem } from '../problem.ts';
import type { Identity } from './identity.ts';

/** Which blob, and for which sync: the platform checks that the workload is this appliance's. */
export interface BlobClaims {
  waveId: string;
  workloadId: string;
  diskId: string;
  syncId: string;
}

interface AgentClaims {
  agentId: string;
  operationId: string;
}

export class PlatformClient {
  readonly #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** New tokens for this appliance's entities on the bus. */
  async busAccess(): Promise<BusAccess> {
    return BusAccess.parse(await this.#ask('tokens', { purpose: 'busTokens' }));
  }

  /** The address of one staging blob, signed for reading and writing for a few hours. */
  async blobAccess(claims: BlobClaims, signal?: AbortSignal): Promise<BlobAccess> {
    return BlobAccess.parse(await this.#ask('blob-access', { ...claims, purpose: 'blobAccess' }, signal));
  }

  get appliancesUrl(): string {
    return this.#identity.appliancesUrl;
  }

  /** The login for the machine of an agent that the platform has asked this appliance to put there, or to take away. */
  async agentCredential(claims: AgentClaims): Promise<SshCredential> {
    return SshCredential.parse(await this.#ask('agent-access', { ...claims, purpose: 'agentCredential' }));
  }

  /** A one-time token for that agent; null in place of it once the agent has enrolled. */
  async agentBootstrap(claims: AgentClaims): Promise<z.infer<typeof AgentBootstrap>> {
    return AgentBootstrap.parse(await this.#ask('agent-access', { ...claims, purpose: 'agentBootstrap' }));
  }

  async #ask(what: string, claims: Record<string, unknown>, signal?: AbortSignal): Promise<unknown> {
    const { applianceId, appliancesUrl, privateKey } = this.#identity;
    const request = await signRequest(claims, applianceId, privateKey);
    const { status, headers, body } = await send(`${appliancesUrl}/${applianceId}/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request }),
      timeoutMs: 20_000,
      signal,
    }).catch((error: unknown) => {
      throw new Retryable(`the platform cannot be reached: ${messageOf(error)}`);
    });
    if (isBusy(status)) throw new Retryable(`the platform answered ${status}`, retryAfterMs(headers['retry-after']));
    if (status >= 300)
      throw new Problem(
        'platformRefused',
        `The platform refused ${what} (${status}): ${body.toString('utf8').slice(0, 300)}`,
        'Check that the appliance is enrolled, not revoked, and assigned to the workload.',
      );
    return JSON.parse(body.toString('utf8')) as unknown;
  }
}
