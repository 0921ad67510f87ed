// Probes from where the appliance is: they look, and judge nothing.
import type { Probe, ProbeResult } from '../../shared/model/probe.ts';
import { messageOf } from '../log.ts';
import { isForbiddenAddress } from '../net/guard.ts';
import type { Network } from '../net/network.ts';

/** Looks once; what could not be looked at says why. */
async function runProbe(probe: Probe, network: Network): Promise<ProbeResult> {
  const { name } = probe;
  if (probe.kind === 'reach') {
    const { host, port } = probe;
    if (isForbiddenAddress(host)) return { name, seen: 'notRun', answers: [], detail: `${host} is never contacted` };
    const { seen, detail } = await network.reach(host, port);
    return { name, seen, answers: [], detail: `${host}:${port}: ${detail}`.slice(0, 500) };
  }
  const { question, type } = probe;
  try {
    const found = (await network.resolve(question, type)).toSorted().slice(0, 20);
    const said = found.length === 0 ? 'nothing' : found.join(', ');
    return { name, seen: 'answers', answers: found, detail: `${type} ${question}: ${said}`.slice(0, 500) };
  } catch (error) {
    return { name, seen: 'notRun', answers: [], detail: `${type} ${question}: ${messageOf(error)}`.slice(0, 500) };
  }
}

/** Several probes, a few at a time, answered in their order. */
export async function runProbes(probes: readonly Probe[], network: Network): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (let at = 0; at < probes.length; at += 8)
    results.push(...(await Promise.all(probes.slice(at, at + 8).map((probe) => runProbe(probe, network)))));
  return results;
}
