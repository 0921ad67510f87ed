// Offers over REST: the provisioned throughput of containers, read and changed as the client does it.
import { badRequest, notFound } from '../errors.ts';
import { member } from '../json.ts';
import type { Throughput } from '../store/capacity.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { listReply } from './lists.ts';
import { header, jsonBody, objectBody, type Reply, type Request } from './message.ts';
import { containerLink, etagOf } from './resources.ts';

/** What a request to create a container asks for in its headers. */
export function askedThroughput(request: Request): Throughput | undefined {
  const manual = header(request, 'x-ms-offer-throughput');
  if (manual !== undefined) return { throughput: Number(manual), isAutoscale: false };
  const autoscale = header(request, 'x-ms-cosmos-offer-autopilot-settings');
  if (autoscale === undefined) return undefined;
  return {
    throughput: numberOf(member(jsonBody({ body: Buffer.from(autoscale) }), 'maxThroughput')),
    isAutoscale: true,
  };
}

export function offers(store: Store, request: Request): Reply {
  const list = provisioned(store).map(offerResource);
  return listReply(request, 'Offers', '', list);
}

export async function offer(store: Store, request: Request, id: string): Promise<Reply> {
  const container = provisioned(store).find(({ number }) => offerId(number) === id);
  if (!container) throw notFound(`Offer ${id} does not exist.`);
  if (request.method === 'PUT') {
    const content = member(objectBody(request), 'content');
    const autoscale = member(content, 'offerAutopilotSettings');
    const throughput =
      autoscale === undefined || autoscale === null
        ? { throughput: numberOf(member(content, 'offerThroughput')), isAutoscale: false }
        : { throughput: numberOf(member(autoscale, 'maxThroughput')), isAutoscale: true };
    await store.define((catalog) => catalog.capacity.resize(container, throughput));
  }
  return { status: 200, body: offerResource(container) };
}

function provisioned(store: Store): Container[] {
  const containers = [...store.catalog.databases.values()].flatMap((database) => [...database.containers.values()]);
  return containers.filter(({ throughput }) => throughput !== undefined);
}

function offerResource(container: Container) {
  const { number, rid, ts, throughput } = container;
  const id = offerId(number);
  const limit = throughput?.throughput;
  return {
    id,
    _rid: id,
    _self: `offers/${id}/`,
    _etag: etagOf(ts),
    _ts: ts,
    offerVersion: 'V2',
    offerType: 'Invalid',
    resource: containerLink(container),
    offerResourceId: rid,
    content: {
      offerThroughput: limit,
      offerIsRUPerMinuteThroughputEnabled: false,
      ...(throughput?.isAutoscale && { offerAutopilotSettings: { maxThroughput: limit } }),
    },
  };
}

const offerId = (container: number) => `of${container.toString(36).padStart(2, '0')}`;

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  throw badRequest('An offer needs its throughput as a number.');
}
