import { expect, onTestFinished, test } from 'vitest';
import { HostLog } from '../../../local/host/log.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { app, imported } from './temporaryApp.ts';

const chatty = `${imported}import * as df from 'durable-functions';
app.http('talk', { handler: (request, context) => {
  context.log('said');
  context.debug('whispered');
  if (request.query.has('fail')) throw new Error('no voice');
  if (request.query.has('odd')) throw { code: 7 };
  if (request.query.has('unsendable')) return { status: 99 };
  return { body: context.invocationId };
} });
df.app.activity('step', { handler: () => 1 });
df.app.orchestration('steps', function* (context) { return yield context.df.callActivity('step'); });`;

interface Line extends Record<string, unknown> {
  level: string;
  category: string;
  message: string;
}

async function start(logLevel: Record<string, string>) {
  const lines: Line[] = [];
  const host = await startHost({
    appDirectory: app(chatty, { version: '2.0', logging: { logLevel } }),
    settings: {},
    log: (line) => lines.push(JSON.parse(line) as Line),
  });
  onTestFinished(() => host.stop());
  return { host, lines };
}

test('an invocation has a line at its start and one at its end, and the lines it writes name it', async () => {
  const { host, lines } = await start({ default: 'Information' });
  const invocationId = await (await fetch(`${host.endpoint}/api/talk`)).text();
  const about = { source: 'talk', invocationId };
  expect(lines).toMatchObject([
    {
      ...about,
      level: 'information',
      category: 'Function.talk',
      message: "Executing 'Functions.talk'",
      trigger: 'http',
    },
    { ...about, level: 'information', category: 'Function.talk.User', message: 'said' },
    { ...about, category: 'Function.talk', message: "Executed 'Functions.talk' (Succeeded)", outcome: 'Succeeded' },
  ]);
  expect(lines.at(-1)?.['durationMs']).toBeTypeOf('number');
});

test('a failed invocation says so at its end, and its error line names the same invocation', async () => {
  const { host, lines } = await start({ default: 'Information', 'Function.talk.User': 'None' });
  await fetch(`${host.endpoint}/api/talk?fail`);
  const [executing, ...rest] = lines;
  expect(rest).toMatchObject([
    { message: "Executed 'Functions.talk' (Failed)", invocationId: executing?.['invocationId'] },
    { level: 'error', message: 'failed: no voice', invocationId: executing?.['invocationId'] },
  ]);
});

test('what is thrown without being an error, and an answer that cannot be sent, are told with their invocation', async () => {
  const { host, lines } = await start({ default: 'Information', 'Function.talk.User': 'None' });
  for (const query of ['odd', 'unsendable']) await fetch(`${host.endpoint}/api/talk?${query}`);
  const begun = lines.filter(({ message }) => message.startsWith('Executing'));
  const failed = lines.filter(({ level }) => level === 'error');
  expect(failed.map(({ message }) => message)).toEqual(['failed: { code: 7 }', expect.stringContaining('status')]);
  expect(failed.map((line) => line['invocationId'])).toEqual(begun.map((line) => line['invocationId']));
});

test('episodes of an orchestration are lines only for those who ask for debug, activities are there for all', async () => {
  const { host, lines } = await start({ default: 'Information' });
  await host.durable.whenEnded(await host.durable.start('steps', { instanceId: 'a' }));
  expect(lines.map(({ message }) => message)).toEqual([
    "Executing 'Functions.step'",
    "Executed 'Functions.step' (Succeeded)",
  ]);
  expect(lines[0]).toMatchObject({ trigger: 'activity', instanceId: 'a' });
  const loud = await start({ default: 'Warning', 'Function.steps': 'Debug' });
  await loud.host.durable.whenEnded(await loud.host.durable.start('steps', { instanceId: 'b' }));
  expect(new Set(loud.lines.map(({ category }) => category))).toEqual(new Set(['Function.steps']));
  expect(loud.lines[0]).toMatchObject({ trigger: 'orchestration', instanceId: 'b', level: 'debug' });
});

test('the longest category that fits decides the level', () => {
  const levels = { default: 'warning', function: 'error', 'Function.Talk': 'debug', 'Function.talk.User': 'none' };
  const log = new HostLog(() => {}, levels);
  const least = (category: string) =>
    ['debug', 'information', 'warning', 'error', 'critical'].find((level) => log.isOn(level, category));
  expect(least('Host.General')).toBe('warning');
  expect(least('Function.other')).toBe('error');
  expect(least('Function.talk')).toBe('debug');
  expect(least('Function.talk.User')).toBeUndefined();
});
