// The administration API over http: create, read, update, delete and list queues, topics, subscriptions and rules.
import type { IncomingMessage, RequestListener } from 'node:http';
import { isLoopbackHost, readBody } from '../../loopback.ts';
import type { Services } from '../amqp/peer.ts';
import type { Entity } from '../core/admission.ts';
import { subscriptionPath } from '../core/broker.ts';
import { BusError } from '../core/errors.ts';
import { describeEntity, describeRule, readProperties, readRule } from './descriptions.ts';
import { element, type Entry, entry, errorDocument, feed, readEntry } from './xml.ts';

interface Answer {
  status: number;
  body: string;
}

interface Call {
  method: string;
  path: string;
  base: string;
  url: URL;
  update: boolean;
  body: string;
}

const pageSize = 100;

export function serveAdministration(services: Services & { namespace: string }): RequestListener {
  const { broker, authorizer, committed, log, namespace } = services;

  const describe = (call: Call, entity: Entity): Entry =>
    describeEntity(call.base, entity, broker.list('subscription', entity.record.path).length);

  const page = (call: Call, all: Entry[]): Answer => {
    const skip = Number(call.url.searchParams.get('$skip') ?? 0);
    const top = Math.min(Number(call.url.searchParams.get('$top') ?? pageSize), pageSize);
    const next = new URL(call.url);
    next.searchParams.set('$skip', String(skip + top));
    const more = skip + top < all.length ? next.toString() : undefined;
    return { status: 200, body: feed(call.url.toString(), all.slice(skip, skip + top), more) };
  };

  const one = (call: Call, found: Entry | undefined): Answer => ({
    status: 200,
    body: found ? entry(found) : feed(call.url.toString(), []),
  });

  const removed: Answer = { status: 200, body: '' };

  function onNamespace(call: Call): Answer {
    const now = new Date(broker.environment.now()).toISOString();
    const fields = {
      CreatedTime: now,
      MessagingSKU: 'Standard',
      ModifiedTime: now,
      Name: namespace,
      NamespaceType: 'Messaging',
    };
    const content = Object.entries(fields).map(([key, value]) => element(key, value));
    return one(call, {
      id: `${call.base}/$namespaceinfo`,
      title: namespace,
      kind: 'NamespaceInfo',
      content: content.join(''),
    });
  }

  function onRule(call: Call, subscription: string, name: string): Answer {
    const entity = broker.find(subscription);
    const current = entity?.rules.get(name.toLowerCase());
    if (call.method === 'GET') return one(call, current && describeRule(call.base, subscription, current));
    if (call.method === 'DELETE') {
      broker.removeRule(subscription, name);
      return removed;
    }
    const rule = readRule(
      readEntry(call.body, 'RuleDescription') as Parameters<typeof readRule>[0],
      name,
      broker.environment.now(),
    );
    broker.addRule(subscription, rule, call.update);
    return { status: call.update ? 200 : 201, body: entry(describeRule(call.base, subscription, rule)) };
  }

  function onEntity(call: Call, path: string, isSubscription: boolean): Answer {
    const current = broker.find(path);
    if (call.method === 'GET') return one(call, current && describe(call, current));
    if (call.method === 'DELETE') {
      broker.remove(path);
      return removed;
    }
    const kind = isSubscription ? 'subscription' : call.body.includes('<TopicDescription') ? 'topic' : 'queue';
    const { properties, rule } = readProperties(kind, call.body);
    if (call.update) return { status: 200, body: entry(describe(call, broker.update(kind, path, properties))) };
    const initial = rule === undefined ? undefined : readRule(rule, undefined, broker.environment.now());
    return { status: 201, body: entry(describe(call, broker.create(kind, path, properties, initial))) };
  }

  function route(call: Call): Answer {
    const { path } = call;
    if (path === '$namespaceinfo') return onNamespace(call);
    const all = /^\$Resources\/(Queues|Topics)$/i.exec(path)?.[1]?.toLowerCase();
    if (all)
      return page(
        call,
        broker.list(all === 'queues' ? 'queue' : 'topic').map((entity) => describe(call, entity)),
      );
    const [, topic = '', below] = /^(.+?)\/Subscriptions(?:\/(.*))?$/i.exec(path) ?? [];
    if (!topic) return onEntity(call, path, false);
    if (!below) {
      broker.get(topic, 'topic');
      return page(
        call,
        broker.list('subscription', topic).map((entity) => describe(call, entity)),
      );
    }
    const [name = '', section, rule] = below.split('/');
    const subscription = subscriptionPath(topic, name);
    if (section === undefined) return onEntity(call, subscription, true);
    if (section.toLowerCase() !== 'rules') throw new BusError('amqp:not-found', `Nothing is at '${path}'.`);
    if (rule) return onRule(call, subscription, rule);
    const rules = [...broker.get(subscription, 'subscription').rules.values()];
    return page(
      call,
      rules.map((each) => describeRule(call.base, subscription, each)),
    );
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    if (!isLoopbackHost(request)) throw new BusError('amqp:not-allowed', 'This host name is not served.');
    const host = request.headers.host ?? 'localhost';
    const url = new URL(request.url ?? '/', `https://${host}`);
    const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
    await authorizer.manage(request.headers.authorization, path);
    const method = request.method ?? 'GET';
    if (!['GET', 'PUT', 'DELETE'].includes(method))
      throw new BusError('amqp:not-allowed', `${method} is not supported.`);
    const body = (await readBody(request)).toString('utf8');
    const update = request.headers['if-match'] === '*';
    const result = route({ method, path, base: `https://${host}`, url, update, body });
    await committed();
    return result;
  }

  return (request, response) => {
    answer(request)
      .catch((error: unknown): Answer => {
        if (!(error instanceof BusError))
          log(`administration: ${error instanceof Error ? error.stack : String(error)}`);
        const status = error instanceof BusError ? error.status : 500;
        return { status, body: errorDocument(status, error instanceof Error ? error.message : String(error)) };
      })
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/atom+xml;type=entry;charset=utf-8' });
        response.end(body);
      });
  };
}
