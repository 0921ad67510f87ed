// The laboratory hypervisor of the examples, over HTTP. It is a simulation and says so; a real platform gets a file of
// its own beside this one.
import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import { type MigrationError, terminal, transient } from '../errors.ts';
import type { Site } from '../model/environment.ts';
import { isMetadataHost } from '../model/ids.ts';
import type { Source } from '../model/source.ts';
import type { Host, SiteHost } from './contract.ts';

const MachineAnswer = z.object({
  power: z.enum(['on', 'off']),
  nicConnected: z.boolean(),
  disks: z.array(z.object({ id: z.string(), sizeBytes: z.int().positive() })),
  agentInstalled: z.boolean(),
});
const Anything = z.unknown();

const answerWithinMs = 30_000;

/** Machines behind a laboratory hypervisor. */
export const labHost: Host = {
  async inspect(source) {
    const { power, nicConnected, disks } = await inspect(source);
    return { power, nicConnected, disks };
  },
  shutDown: (source) => onMachine(source, 'POST', '/shutdown'),
  powerOff: (source) => onMachine(source, 'POST', '/poweroff'),
  powerOn: (source) => onMachine(source, 'POST', '/poweron'),
  setNic: (source, connected) => onMachine(source, 'PUT', '/nic', { connected }),
  agents: {
    install: (source, bootstrap) => onMachine(source, 'PUT', '/agent', { bootstrap }),
    remove: (source) => onMachine(source, 'DELETE', '/agent'),
    installed: async (source) => (await inspect(source)).agentInstalled,
  },
};

/** What a laboratory hypervisor offers for its site. */
export const labSite: SiteHost = {
  async deployWorker(site, name, bootstrap) {
    await ask(endpointOf(site), 'PUT', `/workers/${encodeURIComponent(name)}`, Anything, { bootstrap });
  },
  async removeWorker(site, name) {
    await ask(endpointOf(site), 'DELETE', `/workers/${encodeURIComponent(name)}`, Anything);
  },
  async workerPresent(site, name) {
    const found = await ask(endpointOf(site), 'GET', `/workers/${encodeURIComponent(name)}`, Anything);
    return found !== undefined;
  },
};

async function inspect(source: Source): Promise<z.infer<typeof MachineAnswer>> {
  const { endpoint, machine } = connectionOf(source);
  const found = await ask(endpoint, 'GET', `/machines/${encodeURIComponent(machine)}`, MachineAnswer);
  if (found === undefined) throw noSuchMachine(machine, endpoint);
  return found;
}

async function onMachine(source: Source, method: string, path: string, body?: object): Promise<void> {
  const { endpoint, machine } = connectionOf(source);
  const done = await ask(endpoint, method, `/machines/${encodeURIComponent(machine)}${path}`, Anything, body);
  if (done === undefined) throw noSuchMachine(machine, endpoint);
}

/** One request. Undefined means 404; everything else that is no success throws `sourceUnreachable`. */
async function ask<T>(
  endpoint: string,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  body?: object,
): Promise<T | undefined> {
  const url = new URL(`${endpoint.replace(/\/+$/, '')}${path}`);
  await refuseMetadata(url);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      // A redirect could lead to an address that nobody has checked.
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    text = await response.text();
  } catch (error) {
    throw unreachable(
      url,
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error),
    );
  }
  if (response.status === 404) return undefined;
  if (!response.ok) {
    const problem = `it answered ${response.status}: ${text.slice(0, 300)}`;
    if (response.status >= 500 || response.status === 429) throw unreachable(url, problem);
    throw terminal(
      'sourceUnreachable',
      `The source’s host at ${url.host} refused ${method} ${path}: ${problem}`,
      'Check the inventory against the host.',
    );
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw terminal(
      'sourceUnreachable',
      `${url.host} does not answer as a laboratory hypervisor does.`,
      'Check the endpoint in the inventory.',
    );
  }
}

/** A definition is checked by its letters when it is posted; here by where its name leads. */
async function refuseMetadata(url: URL): Promise<void> {
  const found = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  if (![url.hostname, ...found.map(({ address }) => address)].some(isMetadataHost)) return;
  throw terminal(
    'invalidInput',
    `${url.host} leads to instance metadata, which is never contacted.`,
    'Name the real host.',
  );
}

function connectionOf({ id, host }: Source): { endpoint: string; machine: string } {
  if (host.kind === 'lab') return host;
  throw terminal('invalidInput', `The source "${id}" is not in a laboratory.`, 'Use the implementation for its kind.');
}

function endpointOf({ id, host }: Site): string {
  if (host.kind === 'lab') return host.endpoint;
  throw terminal('invalidInput', `The site "${id}" is not a laboratory.`, 'Use the implementation for its kind.');
}

function unreachable(url: URL, why: string): MigrationError {
  const message = `The source’s host at ${url.host} did not do what it was asked: ${why}`;
  return transient(
    'sourceUnreachable',
    message,
    'Check that the host is up and reachable from here; it is tried again.',
  );
}

function noSuchMachine(machine: string, endpoint: string): MigrationError {
  return terminal(
    'sourceUnreachable',
    `The host at ${endpoint} has no machine "${machine}".`,
    'Check the machine’s name in the inventory; it may have been renamed or moved.',
  );
}
