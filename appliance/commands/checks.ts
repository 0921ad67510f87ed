// Checks from inside the network: tcp and http. Whatever a name resolves to, link-local and instance-metadata addresses
// are never contacted, and redirects are not followed.
import type { LookupFunction } from 'node:net';
import type { Check } from '../../shared/model/settings.ts';
import type { CheckResult } from '../../shared/protocol/events.ts';
import { messageOf } from '../log.ts';
import { dial } from '../net/dial.ts';
import { guardedLookup, isForbiddenAddress } from '../net/guard.ts';
import { send } from '../net/http.ts';

export interface CheckOptions {
  timeoutMs?: number;
  lookup?: LookupFunction;
}

/** Runs one check; a check that can't be run has not passed. */
export async function runCheck(check: Check, options: CheckOptions = {}): Promise<CheckResult> {
  const { timeoutMs = 10_000, lookup = guardedLookup() } = options;
  try {
    if (check.kind === 'tcp') return { name: check.name, ...(await tcp(check, timeoutMs, lookup)) };
    if (check.kind === 'http') return { name: check.name, ...(await http(check, timeoutMs, lookup)) };
    return { name: check.name, passed: false, detail: `${check.kind} is not a check that an appliance runs` };
  } catch (error) {
    return { name: check.name, passed: false, detail: messageOf(error).slice(0, 2000) };
  }
}

type Outcome = Omit<CheckResult, 'name'>;

async function tcp(
  check: Extract<Check, { kind: 'tcp' }>,
  timeoutMs: number,
  lookup: LookupFunction,
): Promise<Outcome> {
  const { host, port, expect } = check;
  if (isForbiddenAddress(host)) return { passed: false, detail: `${host} is never contacted` };
  const { seen, detail } = await dial(host, port, { timeoutMs, lookup });
  if (seen === 'notRun') return { passed: false, detail };
  return { passed: (seen === 'open') === (expect === 'open'), detail: `${host}:${port}: ${detail}` };
}

async function http(
  check: Extract<Check, { kind: 'http' }>,
  timeoutMs: number,
  lookup: LookupFunction,
): Promise<Outcome> {
  const url = new URL(check.url);
  if (isForbiddenAddress(url.hostname)) return { passed: false, detail: `${url.hostname} is never contacted` };
  const signal = AbortSignal.timeout(timeoutMs);
  const { status } = await send(check.url, { method: 'GET', signal, timeoutMs, lookup, maxBytes: 65_536 });
  return { passed: status === check.expectStatus, detail: `answered ${status}, expected ${check.expectStatus}` };
}

/** Several checks, a few at a time, answered in their order. */
export async function runChecks(checks: readonly Check[], options: CheckOptions = {}): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (let at = 0; at < checks.length; at += 4)
    results.push(...(await Promise.all(checks.slice(at, at + 4).map((check) => runCheck(check, options)))));
  return results;
}
