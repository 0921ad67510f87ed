// Checks from inside the network: tcp and http. Whatever a name resolves to, link-local and instance-metadata addresses
// are never contacted, and redirects are not followed.
import { lookup as dnsLookup } from 'node:dns';
import { BlockList, connect, isIP, isIPv6, type LookupFunction } from 'node:net';
import { isMetadataHost } from '../../shared/model/ids.ts';
import type { Check } from '../../shared/model/settings.ts';
import type { CheckResult } from '../../shared/protocol/events.ts';
import { messageOf } from '../log.ts';
import { send } from '../net/http.ts';

const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addAddress('168.63.129.16', 'ipv4');
forbidden.addAddress('100.100.100.200', 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

/** Whether an address must never be contacted, however it is written. */
export function isForbiddenAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isMetadataHost(bare)) return true;
  return isIP(bare) !== 0 && forbidden.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** Resolves a name and refuses it if any of its addresses is forbidden. */
export function guardedLookup(resolve: typeof dnsLookup = dnsLookup): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const first = found[0];
      if (!first || found.some(({ address }) => isForbiddenAddress(address)))
        return callback(
          new Error(`${hostname} leads to an instance-metadata address, which is never contacted`),
          '',
          0,
        );
      if (options.all) return callback(null, found);
      return callback(null, first.address, first.family);
    });
}

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
  const found = await new Promise<{ open: boolean; why: string } | { refused: string }>((resolve) => {
    const socket = connect({ host, port, lookup, timeout: timeoutMs });
    const end = (answer: { open: boolean; why: string } | { refused: string }): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => end({ open: true, why: 'it accepts connections' }));
    socket.on('timeout', () => end({ open: false, why: `no answer within ${timeoutMs} ms` }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // A name that can't be resolved says nothing about the port.
      error.syscall === 'connect' || error instanceof AggregateError
        ? end({ open: false, why: error.message })
        : end({ refused: error.message }),
    );
  });
  if ('refused' in found) return { passed: false, detail: found.refused };
  return { passed: found.open === (expect === 'open'), detail: `${host}:${port}: ${found.why}` };
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
