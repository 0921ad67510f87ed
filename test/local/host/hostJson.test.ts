import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readHostJson } from '../../../local/host/hostJson.ts';

function read(content: unknown, settings: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'host.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return readHostJson(directory, settings);
}

test('what a file leaves out has the defaults of the real host', () => {
  expect(read({ version: '2.0' })).toEqual({
    version: '2.0',
    functionTimeout: 1_800_000,
    logging: { logLevel: {}, console: { isEnabled: true } },
    telemetryMode: 'ApplicationInsights',
    watchDirectories: [],
    watchFiles: [],
    extensions: {
      http: { routePrefix: 'api', customHeaders: {} },
      serviceBus: {
        prefetchCount: 0,
        autoCompleteMessages: true,
        maxAutoLockRenewalDuration: 300_000,
        maxConcurrentCalls: 16,
        maxConcurrentSessions: 8,
        maxMessageBatchSize: 1000,
        minMessageBatchSize: 1,
        maxBatchWaitTime: 30_000,
        enableCrossEntityTransactions: false,
        clientRetryOptions: { mode: 'exponential', tryTimeout: 60_000, delay: 800, maxDelay: 60_000, maxRetries: 3 },
      },
      durableTask: { hubName: 'LocalHub', versionMatchStrategy: 'CurrentOrOlder', versionFailureStrategy: 'Reject' },
      cosmosDB: {},
    },
  });
});

test('values are read as the real host binds them: from text too, names without case, comments and commas forgiven', () => {
  const read1 = read(
    `{
    // a comment with "quotes"
    "version": "2.0",
    "functionTimeout": "-1", /* none */
    "extensions": {
      "serviceBus": { "maxConcurrentCalls": "4", "autoCompleteMessages": "True", "sessionIdleTimeout": "1.00:00:00.5" },
      "http": { "routePrefix": "a//b", "maxConcurrentRequests": -1 },
      "durableTask": { "hubName": "%HUB%", "versionMatchStrategy": "strict", "storageProvider": { "any": [1, 2,] } },
    },
  }`,
    { HUB: 'landfall' },
  );
  expect(read1.functionTimeout).toBeUndefined();
  expect(read1.extensions).toMatchObject({
    serviceBus: { maxConcurrentCalls: 4, autoCompleteMessages: true, sessionIdleTimeout: 86_400_500 },
    http: { routePrefix: 'a//b', maxConcurrentRequests: undefined },
    durableTask: { hubName: 'landfall', versionMatchStrategy: 'Strict', storageProvider: { any: [1, 2] } },
  });
});

test('a mistake is told with the file, the member, its value and what to write', () => {
  const wrong = {
    version: '1.0',
    functionTimeout: 'soon',
    logging: { logLevel: { default: 'Loud' }, console: 7 },
    watchFiles: 'a.txt',
    retry: { strategy: 'often' },
    extensions: {
      http: { routePrefix: 3, maxOutstandingRequests: -2, customHeaders: { a: 1 } },
      serviceBus: {
        maxConcurrentCalls: 0,
        autoCompleteMessages: 'perhaps',
        maxBatchWaitTime: '30s',
        clientRetryOptions: { mode: 'linear' },
      },
      durableTask: { hubName: 'my hub', defaultVersion: 2, versionFailureStrategy: 'Ignore' },
    },
  };
  let message = '';
  try {
    read(wrong);
  } catch (error) {
    message = String(error);
  }
  expect(message).toMatch(/\/host\.json is not valid\. /);
  expect(message.split('is not valid. ')[1]?.split('; ')).toEqual([
    'version: "1.0" is wrong, write "2.0"',
    'functionTimeout: "soon" is wrong, write a time span of a second or more (hh:mm:ss), or "-1"',
    'logging.logLevel.default: "Loud" is wrong, write one of trace, debug, information, warning, error, critical, none',
    'logging.console: 7 is wrong, write an object',
    'watchFiles: "a.txt" is wrong, write a list of texts',
    'retry.strategy: "often" is wrong, write an object with strategy fixedDelay or exponentialBackoff',
    'extensions.http.routePrefix: 3 is wrong, write text',
    'extensions.http.maxOutstandingRequests: -2 is wrong, write at least -1',
    'extensions.http.customHeaders.a: 1 is wrong, write text',
    'extensions.serviceBus.autoCompleteMessages: "perhaps" is wrong, write true or false',
    'extensions.serviceBus.maxConcurrentCalls: 0 is wrong, write at least 1',
    'extensions.serviceBus.maxBatchWaitTime: "30s" is no time span, write hh:mm:ss or d.hh:mm:ss',
    'extensions.serviceBus.clientRetryOptions.mode: "linear" is wrong, write one of exponential, fixed',
    'extensions.durableTask.hubName: "my hub" is wrong, write 3 to 45 letters and digits, a letter first, or the name of a setting between %',
    'extensions.durableTask.defaultVersion: 2 is wrong, write text',
    'extensions.durableTask.versionFailureStrategy: "Ignore" is wrong, write one of Reject, Fail',
  ]);
  const sizes = { minMessageBatchSize: 9, maxMessageBatchSize: 5 };
  expect(() => read({ version: '2.0', extensions: { serviceBus: sizes } })).toThrow(
    'extensions.serviceBus.minMessageBatchSize: 9 is more than maxMessageBatchSize, write less',
  );
  expect(() => read('{ "version": ')).toThrow(/host\.json cannot be read/);
  expect(() => read('[]')).toThrow('the file: [] is wrong, write an object');
  const hub = { version: '2.0', extensions: { durableTask: { hubName: '%NO_HUB%' } } };
  expect(() => read(hub)).toThrow('extensions.durableTask.hubName: the setting "NO_HUB"');
});

test('time spans are read as .NET reads them', () => {
  const span = (functionTimeout: string) => read({ version: '2.0', functionTimeout }).functionTimeout;
  const minute = 60_000;
  const day = 24 * 60 * minute;
  expect(['00:01:30', '1:2:3', '23:59:59.9999'].map(span)).toEqual([90_000, 3_723_000, day]);
  expect(['1.00:00:00', '25:00:00:00', '24:00:00', '30:12:15'].map(span)).toEqual([
    day,
    25 * day,
    24 * day,
    30 * day + (12 * 60 + 15) * minute,
  ]);
  for (const text of ['00:60:00', '00:00:60', '1.24:00:00', '24:00:00.5', '01:00', ' 01:00:00', '-01:00:00'])
    expect(() => span(text), text).toThrow('write a time span');
});

test('what would let nothing run any more is refused', () => {
  const http = { maxConcurrentRequests: 0, maxOutstandingRequests: '0' };
  const retry = { strategy: 'exponentialBackoff', maxRetryCount: 1 };
  const intervals = { minimumInterval: '00:00:09', maximumInterval: '00:00:08' };
  const wrong = {
    version: '2.0',
    functionTimeout: '00:00:00.9',
    retry: { ...retry, ...intervals },
    extensions: { http },
  };
  for (const problem of [
    'functionTimeout: "00:00:00.9" is wrong, write a time span of a second or more (hh:mm:ss), or "-1"',
    'retry.minimumInterval: "00:00:09" is longer than maximumInterval, write less',
    'extensions.http.maxConcurrentRequests: 0 is wrong, write at least 1, or -1 for no limit',
    'extensions.http.maxOutstandingRequests: "0" is wrong, write at least 1, or -1 for no limit',
  ])
    expect(() => read(wrong)).toThrow(problem);
});

test('settings named AzureFunctionsJobHost__… win over the file, whatever the case of their path', () => {
  const content = { version: '2.0', extensions: { http: { routePrefix: 'file' }, serviceBus: 7 }, watchFiles: ['a'] };
  const { extensions, logging, watchFiles } = read(content, {
    AzureFunctionsJobHost__EXTENSIONS__Http__RoutePrefix: 'setting',
    AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: '2',
    'AzureFunctionsJobHost:logging:logLevel:Host.Triggers': 'Warning',
    AzureFunctionsJobHost__watchFiles__0: 'b',
    AzureFunctionsJobHost__extensions__unknown__member: 'left alone',
  });
  expect(extensions.http.routePrefix).toBe('setting');
  expect(extensions.serviceBus.maxConcurrentCalls).toBe(2);
  expect(logging.logLevel).toEqual({ 'Host.Triggers': 'warning' });
  expect(watchFiles).toEqual(['b']);
  expect(() => read(content, { AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: 'many' })).toThrow(
    'extensions.serviceBus.maxConcurrentCalls: "many" is wrong',
  );
});
