// The network of a machine that is a process: that process is not in it, so its probes ask here instead of sending
// packets. Anyone on this machine may ask, as for everything else here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { readBody } from '../../loopback.ts';
import type { Kernel } from '../contract.ts';
import { notSimulated, toArmError } from '../http/errors.ts';
import { lastName } from '../ids.ts';
import { items, parse, part } from '../json.ts';
import { existing } from '../providers/common.ts';
import { machineType } from '../providers/quota.ts';
import { passage } from './passage.ts';

const prefix = '/network/';
const Question = z.union([
  z.strictObject({ reach: z.strictObject({ host: z.string(), port: z.int().min(1).max(65535) }) }),
  z.strictObject({ resolve: z.strictObject({ question: z.string(), type: z.enum(['A', 'PTR']) }) }),
]);

/** Serves `POST /network/subscriptions/…/virtualMachines/{name}`; false when the request is for something else. */
export function serveNetwork(kernel: Kernel, request: IncomingMessage, response: ServerResponse): boolean {
  if (!request.url?.startsWith(prefix)) return false;
  void answer(kernel, request).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(body));
  });
  return true;
}

async function answer(kernel: Kernel, request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  try {
    const asked = parse(Question, JSON.parse((await readBody(request, 4096)).toString('utf8')));
    const machine = existing(kernel, (request.url ?? '').slice(prefix.length - 1), machineType);
    if ('reach' in asked) return { status: 200, body: passage(kernel, machine, asked.reach.host, asked.reach.port) };
    return { status: 200, body: { answers: recordsOf(kernel, asked.resolve.question, asked.resolve.type) } };
  } catch (thrown) {
    const { status, code, message } = toArmError(thrown);
    return { status, body: { error: { code, message } } };
  }
}

/** The addresses of a name in one of the zones here; every other name belongs to somebody who is not simulated. */
function recordsOf(kernel: Kernel, question: string, type: 'A' | 'PTR'): string[] {
  const name = question.toLowerCase();
  const zones = kernel.store
    .ofType('Microsoft.Network/dnsZones')
    .filter(({ id }) => name.endsWith(`.${lastName(id).toLowerCase()}`))
    .sort((a, b) => lastName(b.id).length - lastName(a.id).length);
  const [zone] = zones;
  if (type !== 'A' || zone === undefined)
    throw notSimulated(`${type} ${question} is not simulated: only A records of the DNS zones here are.`);
  const record = name.slice(0, -lastName(zone.id).length - 1);
  if (kernel.store.get(`${zone.id}/CNAME/${record}`)) throw notSimulated(`${question} is an alias.`);
  const found = kernel.store.get(`${zone.id}/A/${record}`);
  return items(part(found?.body, 'properties'), 'ARecords').map(({ ipv4Address }) => String(ipv4Address));
}
