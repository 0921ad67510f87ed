import { createServer, type ServerResponse } from 'node:http';
import { registerHooks } from 'node:module';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startHost } from '../../../../local/host/startHost.ts';
import { app, imported } from '../temporaryApp.ts';

const traced = `${imported}import * as df from 'durable-functions';
app.http('trace', { route: 'trace/{id}', handler: (request, context) => {
  if (request.params.id === 'wrong') throw new Error('lost');
  return { status: 201, jsonBody: context.traceContext };
} });
df.app.activity('step', { handler: (input, context) => context.traceContext.traceParent });
df.app.orchestration('broken', function* (context) { throw new Error('no way ' + context.df.getInput()); });
df.app.orchestration('steps', function* (context) { return yield context.df.callActivity('step'); });`;

const Attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const Attributes = z
  .array(Attribute)
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]])));
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  attributes: Attributes,
  events: z.array(z.object({ attributes: Attributes })).default([]),
  status: z.object({ code: z.int().optional() }),
});
const Export = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

/** An OTLP collector. */
async function collector(answer = (response: ServerResponse) => void response.end('{}')) {
  const received: { path: string; key: unknown; body: z.infer<typeof Export> }[] = [];
  const server = createServer(async (request, response) => {
    const body = Export.parse(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    received.push({ path: request.url ?? '', key: request.headers['api-key'], body });
    answer(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return { endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, received };
}

/** The settings become the process's environment, which the next test must not see. */
function start(settings: Record<string, string>, drainMilliseconds = 5000) {
  onTestFinished(() => {
    for (const name of Object.keys(settings)) delete process.env[name];
  });
  return startHost({ appDirectory: app(traced), settings, drainMilliseconds });
}

test('without a collector in the settings nothing of OpenTelemetry is loaded, and a trace that comes in is handed on', async () => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      // The API alone is loaded by durable-functions.
      if (/^@opentelemetry.(?!api$)/.test(specifier)) loaded.push(specifier);
      return next(specifier, context);
    },
  });
  onTestFinished(() => hooks.deregister());
  const host = await start({ OTEL_SERVICE_NAME: 'nobody' });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const answer = await fetch(`${host.endpoint}/api/trace/1`, { headers: { traceparent } });
  expect(await answer.json()).toEqual({ traceParent: traceparent });
  await host.stop();
  expect(loaded).toEqual([]);
});

test('each invocation is a span at the collector: of the trace that came in, or of its orchestration', async () => {
  const { endpoint, received } = await collector();
  const host = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
    OTEL_SERVICE_NAME: 'waves',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=laptop',
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const answer = await fetch(`${host.endpoint}/api/trace/1?code=key`, { headers: { traceparent, tracestate: 'a=b' } });
  const seen: unknown = await answer.json();
  await fetch(`${host.endpoint}/api/trace/wrong`);
  const ended = await host.durable.whenEnded(await host.durable.start('steps', { instanceId: 'one' }));
  await host.durable.whenEnded(await host.durable.start('broken', { input: 'out' }));
  await host.stop();

  expect(received).toMatchObject([{ path: '/v1/traces', key: 'secret' }]);
  const { resource, scopeSpans } = received[0]!.body.resourceSpans[0]!;
  expect(resource.attributes).toMatchObject({ 'service.name': 'waves', 'deployment.environment.name': 'laptop' });
  const spans = scopeSpans.flatMap((scope) => scope.spans);
  const [good, failed] = spans;
  expect(good).toMatchObject({
    ...{ name: 'GET /api/trace/{id}', kind: 2, traceId: traceparent.split('-')[1], parentSpanId: 'b7ad6b7169203331' },
    attributes: {
      ...{ 'http.request.method': 'GET', 'http.route': '/api/trace/{id}', 'http.response.status_code': 201 },
      ...{ 'url.path': '/api/trace/1', 'faas.name': 'trace', 'faas.trigger': 'http' },
    },
  });
  expect(JSON.stringify(good)).not.toContain('code=key');
  expect(seen).toEqual({ traceParent: `00-${good?.traceId}-${good?.spanId}-01`, traceState: 'a=b' });
  expect(failed).toMatchObject({ kind: 2, status: { code: 2 }, attributes: { 'http.response.status_code': 500 } });

  expect(spans.at(-1)).toMatchObject({ name: 'broken', status: { code: 2 } });
  expect(spans.at(-1)?.events.map(({ attributes }) => attributes['exception.message'])).toEqual([
    expect.stringMatching(/no way out$/),
  ]);
  const ofInstance = spans.filter(({ attributes }) => attributes['durabletask.task.instance_id'] === 'one');
  expect(ofInstance.map(({ name, kind }) => [name, kind])).toEqual([
    ['steps', 1],
    ['step', 1],
    ['steps', 1],
  ]);
  expect(new Set(ofInstance.map(({ traceId }) => traceId)).size).toBe(1);
  expect(ended.output).toBe(`00-${ofInstance[1]?.traceId}-${ofInstance[1]?.spanId}-01`);
});

test('a collector that does not answer does not hold up the host', async () => {
  const { endpoint } = await collector(() => {});
  // The exporter alone would wait longer than a test may take.
  const patient = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '600000' };
  const host = await start(patient, 20);
  expect((await fetch(`${host.endpoint}/api/trace/1`)).status).toBe(201);
  await host.stop();
});

test.each([
  ['http://169.254.169.254/v1/traces', 'link-local'],
  ['http://[::ffff:169.254.169.254]:4318', 'link-local'],
  ['http://[fd00:ec2::254]', 'link-local'],
  ['ftp://collector', 'no http or https address'],
])('spans are not sent to %s', async (endpoint, reason) => {
  await expect(start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint })).rejects.toThrow(reason);
});
