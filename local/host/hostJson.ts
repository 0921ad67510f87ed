// host.json, as far as this host follows it (https://learn.microsoft.com/azure/azure-functions/functions-host-json).
// Unknown members are left alone: the same file serves Azure.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LogLevel } from './log.ts';

/** `hh:mm:ss`, `d.hh:mm:ss` with fractions, in milliseconds. */
export const TimeSpan = z.string().transform((text, context) => {
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?$/.exec(text);
  if (!match) {
    context.addIssue({ code: 'custom', message: `"${text}" is no time span (hh:mm:ss)` });
    return z.NEVER;
  }
  const [days, hours, minutes, seconds] = match.slice(1, 5).map((part) => Number(part ?? 0));
  const fraction = Number(`0.${match[5] ?? 0}`);
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0) + fraction) * 1000;
});

const count = z.int().positive();

const HostJson = z.looseObject({
  version: z.literal('2.0'),
  logging: z.looseObject({ logLevel: z.record(z.string(), LogLevel).default({}) }).default({ logLevel: {} }),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().default('api') }).default({ routePrefix: 'api' }),
      durableTask: z
        .looseObject({
          hubName: z.string().default('LocalHub'),
          maxConcurrentActivityFunctions: count.optional(),
          maxConcurrentOrchestratorFunctions: count.optional(),
        })
        .prefault({}),
      serviceBus: z
        .looseObject({
          maxMessageBatchSize: count.default(1000),
          maxConcurrentCalls: count.default(16),
          maxConcurrentSessions: count.default(8),
          sessionIdleTimeout: TimeSpan.optional(),
          maxAutoLockRenewalDuration: TimeSpan.default(5 * 60_000),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type HostJson = z.output<typeof HostJson>;

/** Reads and checks `host.json`; the error names the file and each wrong member. */
export function readHostJson(appDirectory: string): HostJson {
  const file = join(appDirectory, 'host.json');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
  const parsed = HostJson.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new Error(`${file} is not valid. ${problems.join('; ')}`);
}
