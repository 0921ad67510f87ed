// host.json, as far as this host follows it (https://learn.microsoft.com/azure/azure-functions/functions-host-json).
// Unknown members are left alone: the same file serves Azure. Numbers and switches may be text, as the real host binds
// every value from text and a setting that overrides one is always text.
import { join } from 'node:path';
import { z } from 'zod';
import { checkContent, readJsonFile } from './jsonFile.ts';
import { LogLevel } from './log.ts';
import { resolveSetting, type Settings } from './settings.ts';

const unlike = (wanted: string) => ({ error: `is wrong, write ${wanted}` });

const hours = '(?<hours>[01]?\\d|2[0-3])';
const minutes = '(?<minutes>[0-5]?\\d)';
const timeSpans = [
  new RegExp(`^(?:(?<days>\\d+)[.:])?${hours}:${minutes}:(?<seconds>[0-5]?\\d(?:\\.\\d{1,7})?)$`),
  new RegExp(`^(?<days>\\d+):${hours}:${minutes}$`),
];

/**
 * `hh:mm:ss` and `d.hh:mm:ss` with fractions, in milliseconds. As in .NET, `d:hh:mm:ss` is the same, and what would begin with
 * 24 hours or more means `dd:hh:mm` (https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#timespan).
 */
export const TimeSpan = z.string(unlike('a time span (hh:mm:ss)')).transform((text, context) => {
  for (const form of timeSpans) {
    const parts = form.exec(text)?.groups;
    if (!parts) continue;
    const part = (name: string) => Number(parts[name] ?? 0);
    return Math.round((((part('days') * 24 + part('hours')) * 60 + part('minutes')) * 60 + part('seconds')) * 1000);
  }
  context.addIssue({ code: 'custom', message: 'is no time span, write hh:mm:ss or d.hh:mm:ss' });
  return z.NEVER;
});

const fromText = (value: unknown) => {
  if (typeof value !== 'string') return value;
  if (/^-?\d+$/.test(value)) return Number(value);
  return /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value;
};
const whole = (least: number) =>
  z.preprocess(fromText, z.int(unlike(`a whole number, at least ${least}`)).min(least, unlike(`at least ${least}`)));
const text = z.string(unlike('text'));
const flag = z.preprocess(fromText, z.boolean(unlike('true or false')));
const texts = z.array(text, unlike('a list of texts'));
/** Names are compared without case, as .NET does. */
const oneOf = <const T extends readonly string[]>(...names: T) =>
  z.preprocess(
    (value) => names.find((name) => typeof value === 'string' && name.toLowerCase() === value.toLowerCase()) ?? value,
    z.enum(names, unlike(`one of ${names.join(', ')}`)),
  );
/** -1 is no limit and read as undefined. */
const limit = whole(-1)
  .refine((count) => count !== 0, unlike('at least 1, or -1 for no limit'))
  .transform((count) => (count < 0 ? undefined : count));
const group = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.looseObject(shape, unlike('an object')).prefault({} as never);

const http = group({
  routePrefix: text.default('api'),
  maxOutstandingRequests: limit.optional(),
  maxConcurrentRequests: limit.optional(),
  customHeaders: z.record(z.string(), text, unlike('an object of header names and values')).default({}),
});

// https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus#hostjson-settings
const serviceBus = group({
  prefetchCount: whole(0).default(0),
  autoCompleteMessages: flag.default(true),
  maxAutoLockRenewalDuration: TimeSpan.default(5 * 60_000),
  maxConcurrentCalls: whole(1).default(16),
  maxConcurrentSessions: whole(1).default(8),
  maxMessageBatchSize: whole(1).default(1000),
  minMessageBatchSize: whole(1).default(1),
  maxBatchWaitTime: TimeSpan.default(30_000),
  sessionIdleTimeout: TimeSpan.optional(),
  enableCrossEntityTransactions: flag.default(false),
  clientRetryOptions: group({
    mode: oneOf('exponential', 'fixed').default('exponential'),
    tryTimeout: TimeSpan.default(60_000),
    delay: TimeSpan.default(800),
    maxDelay: TimeSpan.default(60_000),
    maxRetries: whole(0).default(3),
  }),
}).refine(({ minMessageBatchSize, maxMessageBatchSize }) => minMessageBatchSize <= maxMessageBatchSize, {
  path: ['minMessageBatchSize'],
  message: 'is more than maxMessageBatchSize, write less',
});

// https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-host-json-settings
const durableTask = group({
  hubName: text
    .regex(
      /^(%[^%]+%|[A-Za-z][A-Za-z0-9]{2,44})$/,
      unlike('3 to 45 letters and digits, a letter first, or the name of a setting between %'),
    )
    .default('LocalHub'),
  maxConcurrentActivityFunctions: whole(1).optional(),
  maxConcurrentOrchestratorFunctions: whole(1).optional(),
  maxConcurrentEntityFunctions: whole(1).optional(),
  defaultVersion: text.optional(),
  versionMatchStrategy: oneOf('None', 'Strict', 'CurrentOrOlder').default('CurrentOrOlder'),
  versionFailureStrategy: oneOf('Reject', 'Fail').default('Reject'),
});

const retry = z.discriminatedUnion(
  'strategy',
  [
    z.looseObject({ strategy: z.literal('fixedDelay'), maxRetryCount: whole(-1), delayInterval: TimeSpan }),
    z
      .looseObject({
        strategy: z.literal('exponentialBackoff'),
        maxRetryCount: whole(-1),
        minimumInterval: TimeSpan,
        maximumInterval: TimeSpan,
      })
      .refine(({ minimumInterval, maximumInterval }) => minimumInterval <= maximumInterval, {
        path: ['minimumInterval'],
        message: 'is longer than maximumInterval, write less',
      }),
  ],
  unlike('an object with strategy fixedDelay or exponentialBackoff'),
);

const timeout = unlike('a time span of a second or more (hh:mm:ss), or "-1"');
const HostJson = z.looseObject(
  {
    version: z.literal('2.0', unlike('"2.0"')),
    /** Milliseconds; undefined is no limit ("-1"). The default is that of the plans that are not Consumption. */
    functionTimeout: z
      .union(
        [z.literal(['-1', -1]).transform(() => undefined), TimeSpan.refine((span) => span >= 1000, timeout)],
        timeout,
      )
      // Not default(): that would also replace the undefined of "-1".
      .prefault('00:30:00'),
    logging: group({
      logLevel: z.record(z.string(), LogLevel, unlike('an object of categories and levels')).default({}),
      console: group({ isEnabled: flag.default(true) }),
    }),
    telemetryMode: oneOf('ApplicationInsights', 'OpenTelemetry').default('ApplicationInsights'),
    watchDirectories: texts.default([]),
    watchFiles: texts.default([]),
    retry: retry.optional(),
    extensions: group({
      http,
      serviceBus,
      durableTask,
      cosmosDB: group({ connectionMode: oneOf('Gateway', 'Direct').optional(), userAgentSuffix: text.optional() }),
    }),
  },
  unlike('an object'),
);
export type HostJson = z.output<typeof HostJson>;

/** Reads and checks `host.json`, with what settings override in it; the error names the file and each wrong member. */
export function readHostJson(appDirectory: string, settings: Settings = {}): HostJson {
  const file = join(appDirectory, 'host.json');
  const hostJson = checkContent(file, HostJson, withOverrides(readJsonFile(file), settings));
  const { durableTask } = hostJson.extensions;
  durableTask.hubName = resolveSetting(durableTask.hubName, settings, `${file}, extensions.durableTask.hubName`);
  return hostJson;
}

/**
 * Settings named `AzureFunctionsJobHost__path__to__member` win over the file
 * (https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values).
 */
function withOverrides(content: unknown, settings: Settings): unknown {
  if (!isObject(content)) return content;
  for (const [setting, value] of Object.entries(settings)) {
    const path = /^AzureFunctionsJobHost(?:__|:)(.+)$/i.exec(setting)?.[1]?.split(/__|:/);
    if (path && value !== undefined) override(content, path, value);
  }
  return content;
}

function override(target: Record<string, unknown>, [first = '', ...rest]: string[], value: string): void {
  const name = Object.keys(target).find((known) => known.toLowerCase() === first.toLowerCase()) ?? first;
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const inner = target[name];
  const child = isObject(inner) ? inner : {};
  target[name] = child;
  override(child, rest, value);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
