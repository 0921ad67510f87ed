// Who the appliance is: an Ed25519 key that it made itself and never shows, and what the platform answered at enrolment.
// The key is stored before the one-time token is spent: a crash in between asks again with the same token and key.
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type BusAccess, EnrolmentAnswer, type EnrolmentRequest } from '../../shared/protocol/enrolment.ts';
import { type Log, messageOf } from '../log.ts';
import { send } from '../net/http.ts';
import { isBusy, Retryable, retryAfterMs, withRetry } from '../net/retry.ts';
import { FatalProblem } from '../problem.ts';
import { readBootstrap, type Settings, version } from '../settings.ts';
import { readSecret, writeSecret } from '../state/secretFile.ts';

const PrivateKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
});
const Enrolled = EnrolmentAnswer.omit({ bus: true }).extend({
  kind: z.enum(['target', 'worker', 'agent']),
  appliancesUrl: z.url(),
});
const IdentityFile = z.object({ privateKey: PrivateKey, enrolled: Enrolled.optional() });

export type Identity = z.infer<typeof Enrolled> & { privateKey: z.infer<typeof PrivateKey> };

/** The stored identity, or a new one by enrolment, which also brings the first access to the bus. */
export async function identify(settings: Settings, log: Log): Promise<{ identity: Identity; bus?: BusAccess }> {
  const path = join(settings.stateDir, 'identity.json');
  const stored = readSecret(path);
  const known = stored === undefined ? undefined : IdentityFile.safeParse(stored);
  if (known?.success === false) throw new FatalProblem(`${path} is not an identity: ${z.prettifyError(known.error)}`);
  const privateKey = known?.data.privateKey ?? newKey();
  if (known?.data.enrolled) return { identity: { ...known.data.enrolled, privateKey } };
  writeSecret(path, { privateKey });

  const { enrolUrl, token, kind } = readBootstrap(settings.bootstrapFile);
  const { d: _secret, ...publicKey } = privateKey;
  const answer = await enrol(enrolUrl, { token, publicKey, kind, version, hostName: settings.hostName }, log);
  const { bus, ...rest } = answer;
  const enrolled = { ...rest, kind, appliancesUrl: enrolUrl.replace(/\/enrol\/?$/, '') };
  writeSecret(path, { privateKey, enrolled });
  log.info('enrolled', { applianceId: answer.applianceId, environmentId: answer.environmentId });
  return { identity: { ...enrolled, privateKey }, bus };
}

function newKey(): z.infer<typeof PrivateKey> {
  return PrivateKey.parse(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
}

async function enrol(url: string, request: EnrolmentRequest, log: Log): Promise<EnrolmentAnswer> {
  const body = JSON.stringify(request);
  const ask = async (): Promise<EnrolmentAnswer> => {
    const {
      status,
      headers,
      body: text,
    } = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs: 20_000,
    }).catch((error: unknown) => {
      throw new Retryable(messageOf(error));
    });
    if (isBusy(status)) throw new Retryable(`the platform answered ${status}`, retryAfterMs(headers['retry-after']));
    if (status >= 300)
      throw new FatalProblem(
        `The platform refused the enrolment (${status}): ${text.toString('utf8').slice(0, 500)} ` +
          'Ask for a new one-time token and write it into the bootstrap file.',
      );
    return EnrolmentAnswer.parse(JSON.parse(text.toString('utf8')));
  };
  const onRetry = (error: Retryable, waitMs: number): void =>
    log.warn('the platform cannot be reached for enrolment', { error: error.message, waitMs: Math.round(waitMs) });
  return withRetry(ask, { firstMs: 250, maxMs: 15_000, onRetry });
}
