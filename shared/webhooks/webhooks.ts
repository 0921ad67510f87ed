// Webhooks over HTTPS. A name is resolved once, every address that it has is judged, and the connection goes to the one that
// was judged: a name that is resolved to something else a moment later leads nobody anywhere (DNS rebinding). Redirects are
// answers like any other, and refused. Time and length of an answer are bounded.
import { lookup } from 'node:dns/promises';
import { request } from 'node:https';
import { type BlockList, isIP } from 'node:net';
import type { Config } from '../config.ts';
import { terminal, toMigrationError, transient } from '../errors.ts';
import { signWebhook } from '../protocol/signing.ts';
import { listOf, whyNot } from './addresses.ts';
import type { Receiver, WebhookEvent, Webhooks } from './contract.ts';

type Settings = Pick<
  Config,
  'LANDFALL_PUBLIC_URL' | 'LANDFALL_SIGNING_KEY' | 'LANDFALL_WEBHOOK_NETWORKS' | 'LANDFALL_WEBHOOK_SECRETS'
>;
interface Address {
  address: string;
  family: number;
}
type Resolve = (host: string) => Promise<Address[]>;

const answerWithinMs = 15_000;
const answerAtMost = 16_384;
const answerKept = 500;
const longestRetryAfter = 600;

const resolveAll: Resolve = (host) => lookup(host, { all: true, verbatim: true });

interface Ways {
  /** How names become addresses. */
  resolve?: Resolve;
  /** How long an answer is waited for, from the first byte sent to the last one read. */
  withinMs?: number;
}

/** Webhooks as the settings allow them. */
export function createWebhooks(
  config: Settings,
  { resolve = resolveAll, withinMs = answerWithinMs }: Ways = {},
): Webhooks {
  const allowed = listOf(config.LANDFALL_WEBHOOK_NETWORKS ?? []);
  const prepare = async ({ url, secret }: Receiver) => {
    const target = new URL(url);
    const headers = secretHeader(config, target, secret);
    return { target, headers, to: await judged(target, allowed, resolve) };
  };
  return {
    async check(receiver) {
      await prepare(receiver);
    },
    async deliver(receiver, event) {
      const { target, headers, to } = await prepare(receiver);
      const body = JSON.stringify(cloudEvent(event, config));
      const signature = await signWebhook(body, config.LANDFALL_SIGNING_KEY);
      const own = { 'content-type': 'application/cloudevents+json; charset=utf-8', 'landfall-signature': signature };
      return judgedAnswer(target, await post(target, to, { ...headers, ...own }, body, withinMs));
    },
  };
}

function cloudEvent({ id, type, subject, data }: WebhookEvent, { LANDFALL_PUBLIC_URL }: Settings) {
  const source = `${LANDFALL_PUBLIC_URL.replace(/\/$/, '')}/api`;
  return { specversion: '1.0', id, source, type, subject, datacontenttype: 'application/json', data };
}

function secretHeader(
  { LANDFALL_WEBHOOK_SECRETS: secrets = {} }: Settings,
  { host }: URL,
  name: string | undefined,
): Record<string, string> {
  if (name === undefined) return {};
  const secret = secrets[name];
  if (secret === undefined)
    throw terminal(
      'notFound',
      `There is no webhook secret "${name}" in the settings.`,
      'Let an administrator put it into LANDFALL_WEBHOOK_SECRETS, then retry; or roll back.',
    );
  if (secret.host.toLowerCase() !== host.toLowerCase())
    throw terminal(
      'forbidden',
      `The webhook secret "${name}" is for another host than ${host}.`,
      'Name the secret that belongs to this host, or have an administrator change it in LANDFALL_WEBHOOK_SECRETS.',
    );
  return { [secret.header]: secret.value };
}

/** The address that the connection goes to: every one that the host has must be allowed. */
async function judged(url: URL, allowed: BlockList, resolve: Resolve): Promise<Address> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  let addresses: Address[];
  try {
    addresses = isIP(host) === 0 ? await resolve(host) : [{ address: host, family: isIP(host) }];
  } catch (error) {
    throw toMigrationError(error, `resolving the name ${host}`);
  }
  for (const { address } of addresses) {
    const why = whyNot(address, allowed);
    if (why !== undefined)
      throw terminal(
        'forbidden',
        `No webhook goes to ${host} (${address}): ${why}.`,
        'Name a public receiver, or have an administrator allow its network in LANDFALL_WEBHOOK_NETWORKS.',
      );
  }
  const [first] = addresses;
  if (first !== undefined) return first;
  throw transient('unavailable', `The name ${host} has no address.`, 'It is tried again.');
}

interface Answered {
  status: number;
  retryAfter: string | undefined;
  location: string | undefined;
  text: string;
}

/** Sends to one address and to no other, whatever the name stands for meanwhile. */
async function post(
  url: URL,
  to: Address,
  headers: Record<string, string>,
  body: string,
  withinMs: number,
): Promise<Answered> {
  const { address, family } = to;
  try {
    return await new Promise<Answered>((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          // No connection from before: that one may lead to another address.
          agent: false,
          lookup: (_host, options, done) =>
            options.all ? done(null, [{ address, family }]) : done(null, address, family),
          signal: AbortSignal.timeout(withinMs),
        },
        (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          const end = (): void =>
            resolve({
              status: response.statusCode ?? 0,
              retryAfter: response.headers['retry-after'],
              location: response.headers.location,
              text: Buffer.concat(chunks).toString('utf8'),
            });
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            length += chunk.length;
            if (length < answerAtMost) return;
            end();
            response.destroy();
          });
          response.on('end', end);
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  } catch (error) {
    const { code, name, message } = error as { code?: string; name?: string; message?: string };
    const why = name === 'AbortError' || name === 'TimeoutError' ? `no answer in ${withinMs / 1000} s` : message;
    throw transient(
      'unavailable',
      `The webhook to ${url.host} came to nothing: ${why ?? code ?? 'unknown'}.`,
      'It is tried again; if it lasts, look whether the receiver runs and its certificate is valid.',
    );
  }
}

function judgedAnswer(url: URL, { status, retryAfter, location, text }: Answered): { status: number; answer: string } {
  const answer = text.slice(0, answerKept);
  if (status >= 200 && status < 300) return { status, answer };
  const said = `${url.host} answered the webhook with ${status}`;
  if (status >= 300 && status < 400)
    throw terminal(
      'forbidden',
      `${said}: redirects are not followed (${location ?? 'it does not say where to'}).`,
      'Name the URL that takes the event, then retry; or roll back.',
    );
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const seconds = Number(retryAfter);
    const after = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestRetryAfter) : undefined;
    throw transient('unavailable', `${said}.`, 'It is tried again.', after);
  }
  throw terminal('azureRejected', `${said}.`, 'Read what it says, mend the receiver or the plan, then retry.', answer);
}
