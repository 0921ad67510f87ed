import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadApp } from '../../../local/host/app.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { app, imported } from './temporaryApp.ts';

const starting = (appDirectory: string, settings: Record<string, string> = {}) => startHost({ appDirectory, settings });

test('a file that throws while it is loaded is named with reason and place, and the host does not start without a function', async () => {
  const thrown = starting(app("import '../below.mjs';"));
  await expect(thrown).rejects.toThrow(/main\.mjs failed: Cannot find module .*below\.mjs/);
  const directory = app({
    'app/main.mjs': "import '../database.mjs';",
    'database.mjs': "\nthrow new Error('no database');",
  });
  await expect(starting(directory)).rejects.toThrow(/main\.mjs failed: no database \(database\.mjs:2\)/);
});

test('files that fail are listed with the reason, nothing of them runs, and the functions of other files do', async () => {
  const lines: string[] = [];
  const appDirectory = app({
    'app/a.mjs': `${imported}app.get('half', () => ({}));\nthrow new Error('too early');`,
    'app/b.mjs': `${imported}app.get('good', () => ({ body: 'works' }));`,
    'app/c.mjs': `${imported}app.get('good', () => ({ body: 'again' }));`,
    'app/d.mjs': `${imported}import '../broken.mjs';\napp.get('never', () => ({}));`,
    'broken.mjs': 'export const x = ;',
  });
  const host = await startHost({ appDirectory, settings: {}, log: (line) => lines.push(line) });
  onTestFinished(() => host.stop());
  expect(host.functionNames).toEqual(['good']);
  expect(host.loadErrors).toEqual([
    { file: join(appDirectory, 'app/a.mjs'), reason: 'too early (app/a.mjs:3)' },
    { file: join(appDirectory, 'app/c.mjs'), reason: 'Function "good" is registered twice.' },
    { file: join(appDirectory, 'app/d.mjs'), reason: "Unexpected token ';' (broken.mjs)" },
  ]);
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  expect(errors.map(({ file, reason }) => ({ file, reason }))).toEqual(host.loadErrors);
  expect(await (await fetch(`${host.endpoint}/api/good`)).text()).toBe('works');
  expect((await fetch(`${host.endpoint}/api/half`)).status).toBe(404);
});

test('a file that never ends to load is told after a minute, and the other files run', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = app({
    'app/a.mjs': `${imported}app.get('early', () => ({}));\nglobalThis.isLoading = true;\nawait new Promise(() => {});`,
    'app/b.mjs': `${imported}app.get('other', () => ({}));`,
  });
  const loading = loadApp(directory);
  const seen = globalThis as { isLoading?: boolean };
  while (!seen.isLoading) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(60_000);
  const { functions, errors } = await loading;
  expect([...functions.keys()]).toEqual(['other']);
  expect(errors).toEqual([
    { file: join(directory, 'app/a.mjs'), reason: expect.stringContaining('it was still loading after 60 s') },
  ]);
});

test('an app that registers nothing, or one name twice, is refused', async () => {
  await expect(starting(app('export {};'))).rejects.toThrow(/registered no function/);
  const twice = `${imported}app.get('f', () => ({})); app.get('f', () => ({}));`;
  await expect(starting(app(twice))).rejects.toThrow(/Function "f" is registered twice/);
});

test('a function with a binding that this host cannot serve is listed with the reason, and the others run', async () => {
  const input = `app.get('wrong', { extraInputs: [{ type: 'table', name: 't' }], handler: () => ({}) });`;
  const host = await starting(app(`${imported}${input} app.get('right', () => ({ status: 204 }));`));
  onTestFinished(() => host.stop());
  expect(host.loadErrors).toEqual([
    { function: 'wrong', reason: 'Function "wrong": this host has no table input binding. (app/main.mjs:2)' },
  ]);
  expect(host.functionNames).toEqual(['right']);
  expect((await fetch(`${host.endpoint}/api/right`)).status).toBe(204);
});

test('binding mistakes name the function and the option', async () => {
  const route = (text: string) => app(`${imported}app.http('f', { route: '${text}', handler: () => ({}) });`);
  await expect(starting(route('%NOWHERE%'))).rejects.toThrow('Function "f", option "route": the setting "NOWHERE"');
  await expect(starting(route('a/{id:prime}'))).rejects.toThrow(
    'Function "f": the route constraint ":prime" is not supported.',
  );
  const queue = app(`${imported}app.serviceBusQueue('q', { connection: 'NoBus', queueName: 'x', handler: () => {} });`);
  await expect(starting(queue)).rejects.toThrow(
    'Function "q": neither the setting "NoBus__fullyQualifiedNamespace" nor "NoBus" exists.',
  );
  const topic = app(`${imported}app.serviceBusTopic('t', { connection: 'X', topicName: 'x', handler: () => {} });`);
  await expect(starting(topic)).rejects.toThrow(
    'Function "t": its serviceBusTrigger is not valid. needs queueName, or topicName and subscriptionName',
  );
  const container = `{ connection: 'C', databaseName: 'd', containerName: 'c', handler: () => {} }`;
  const feed = app(`${imported}app.cosmosDB('c', ${container});`);
  const refused = async (setting: string, value: string, reason: string) => {
    await expect(starting(feed, { [setting]: value })).rejects.toThrow(`Function "c": ${reason}`);
    delete process.env[setting];
  };
  await refused('C', 'secret', 'the setting "C" is no connection string.');
  await refused('C', 'AccountKey=x', 'the connection string in the setting "C" needs AccountEndpoint and AccountKey.');
  await refused(
    'C__accountEndpoint',
    'localhost',
    'the setting "C__accountEndpoint" is "localhost", which is no https',
  );
  const input = app(`${imported}app.http('i', { extraInputs: [{ type: 'table', name: 't' }], handler: () => ({}) });`);
  await expect(starting(input)).rejects.toThrow('Function "i": this host has no table input binding.');
  const blob = app(`${imported}app.storageBlob('b', { path: 'x', connection: 'y', handler: () => {} });`);
  await expect(starting(blob)).rejects.toThrow('Function "b": this host has no blobTrigger.');
});

test('a function that does not run is told with the place of its registration, also where that is CommonJS or a helper', async () => {
  const host = await starting(
    app({
      'package.json': JSON.stringify({ type: 'module', main: 'app/*.{mjs,cjs}' }),
      'app/a.mjs': `${imported}app.get('good', () => ({ status: 204 }));`,
      'app/b.cjs': "const { app } = require('@azure/functions');\n\napp.get('my function', () => ({}));",
      'app/c.mjs': "import { register } from '../helper.mjs';\nregister('host');",
      'helper.mjs': `${imported}\n\nexport const register = (name) => app.get(name, () => ({}));`,
      'app/d.mjs': `${imported}app.serviceBusQueue('q', { connection: 'Bus', queueName: 'x', handler: () => {} });`,
    }),
    { Bus: 'Endpoint=nowhere' },
  );
  onTestFinished(async () => {
    await host.stop();
    delete process.env['Bus'];
  });
  expect(host.functionNames).toEqual(['good', 'q']);
  expect(host.loadErrors).toEqual([
    {
      function: 'my function',
      reason: expect.stringMatching(/^Function "my function": a name has .* \(app\/b\.cjs:3\)$/),
    },
    { function: 'host', reason: expect.stringMatching(/^Function "host": a name has .* \(helper\.mjs:4\)$/) },
    { function: 'q', reason: expect.stringMatching(/^Function "q": .* \(app\/d\.mjs:2\)$/) },
  ]);
});

test('host.json mistakes name the file and the member', async () => {
  const wrong = { version: '1.0', extensions: { serviceBus: { maxMessageBatchSize: 0, sessionIdleTimeout: 'soon' } } };
  const refused = starting(app(imported, wrong));
  await expect(refused).rejects.toThrow(
    /host\.json is not valid\. version: .*serviceBus\.maxMessageBatchSize: .*"soon" is no time span/,
  );
});

test('a function that its setting disables is not served', async () => {
  const names = ['off', 'alsoOff', 'on'];
  const host = await starting(app(imported + names.map((name) => `app.get('${name}', () => ({}));`).join('\n')), {
    'AzureWebJobs.off.Disabled': 'true',
    'AZUREWEBJOBS.alsooff.disabled': '1',
  });
  expect((await fetch(`${host.endpoint}/api/off`)).status).toBe(404);
  expect((await fetch(`${host.endpoint}/api/alsoOff`)).status).toBe(404);
  expect((await fetch(`${host.endpoint}/api/on`)).status).toBe(200);
  await host.stop();
});

test('stopping lets a running request finish, with the Durable client still at its service', async () => {
  const main = `${imported}import * as df from 'durable-functions';
    df.app.activity('a', { handler: () => 1 });
    df.app.orchestration('o', function* (context) { return yield context.df.callActivity('a'); });
    app.get('slow', { extraInputs: [df.input.durableClient()], handler: async (request, context) => {
      await new Promise((resolve) => { globalThis.goOn = resolve; });
      return { body: await df.getClient(context).startNew('o', { instanceId: 'late' }) };
    } });`;
  const host = await starting(app(main));
  const answer = fetch(`${host.endpoint}/api/slow`);
  const handles = globalThis as { goOn?: () => void };
  await expect.poll(() => handles.goOn, { timeout: 10_000 }).toBeDefined();
  const stopped = host.stop();
  expect((await fetch(`${host.endpoint}/api/slow`)).status).toBe(503);
  handles.goOn?.();
  expect(await (await answer).text()).toBe('late');
  await stopped;
});
