// What is probed around a workload's clones, and what the answers prove: that nobody outside reaches a clone, that a clone
// reaches nobody outside, and that production names lead where they led before it booted.
import type { WorkloadPlan } from '../model/plan.ts';
import type { Probe, ProbeResult } from '../model/probe.ts';
import { contains } from './isolation.ts';

export type ProbePolicy = WorkloadPlan['settings']['uat']['probes'];

/** One probe, judged. `notRun`: nobody could look; `leftOut`: an approver said so. */
export interface Verdict {
  name: string;
  verdict: 'held' | 'broken' | 'notRun' | 'leftOut';
  detail: string;
}

const isAddress = (text: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(text);

/** The production names of a workload, forwards and backwards: a clone that registers itself changes them. */
export function nameProbes({ source, settings }: WorkloadPlan): Probe[] {
  const moved = settings.cutover.actions.flatMap((action) =>
    'zoneId' in action && 'record' in action ? [fullName(action.record, action.zoneId)] : [],
  );
  const names = [source.hostName, ...settings.uat.names, ...moved].filter((name) => !isAddress(name));
  const addresses = source.nics.map(({ address }) => address).filter(isAddress);
  return [
    ...[...new Set(names)].map((question) => ({ name: `name ${question}`, question, type: 'A' as const })),
    ...[...new Set(addresses)].map((question) => ({ name: `reverse ${question}`, question, type: 'PTR' as const })),
  ].map((probe) => ({ kind: 'resolve', ...probe }));
}

function fullName(record: string, zoneId: string): string {
  const zone = zoneId.slice(zoneId.lastIndexOf('/') + 1);
  return record === '@' ? zone : `${record}.${zone}`;
}

/** The records that the cutover will move, as their zone has them: `name` says which. */
export function recordProbes({ settings }: WorkloadPlan) {
  const records = settings.cutover.actions.flatMap((action) => {
    if (action.kind !== 'dns') return [];
    const { zoneId, record, type } = action;
    return [{ name: `record ${fullName(record, zoneId)} ${type}`, zoneId, record, type }];
  });
  return [...new Map(records.map((record) => [record.name, record])).values()];
}

/** Whether a clone is reached from where the appliance is; from a tester's place, or the clones' own, that says nothing. */
export function reachProbes(
  { settings }: WorkloadPlan,
  around: { cloneAddress: string; applianceAddress: string | undefined; inside: readonly string[] },
): Probe[] {
  const { cloneAddress: host, applianceAddress, inside } = around;
  if (applianceAddress !== undefined && inside.some((prefix) => contains(prefix, applianceAddress))) return [];
  return settings.uat.closedPorts.map((port) => ({ kind: 'reach', name: portProbe(port), host, port }));
}

export const portProbe = (port: number): string => `clone port ${port}`;

/** Judges what was seen. `before`: where names led before any clone had booted. */
export function judgeProbes(input: {
  before: readonly ProbeResult[];
  seen: readonly ProbeResult[];
  policy: ProbePolicy;
  leaveOut: readonly string[];
}): { verdicts: Verdict[]; reasons: string[] } {
  const { before, seen, policy, leaveOut } = input;
  const verdicts = seen.map((result): Verdict => {
    const { name, detail } = result;
    if (leaveOut.includes(name)) return { name, verdict: 'leftOut', detail };
    const known = before.find((each) => each.name === name);
    return { name, ...(result.seen === 'answers' ? judgeName(result, known) : judgeReach(result)) };
  });
  const reasons = verdicts.flatMap(({ name, verdict, detail }) => {
    if (verdict === 'broken') return [`${name}: ${detail}`];
    return verdict === 'notRun' && policy === 'required' ? [`${name} could not be probed: ${detail}`] : [];
  });
  return { verdicts, reasons };
}

/** A refused connection is an answer: packets pass, and only today nothing listens. */
function judgeReach({ seen, detail }: ProbeResult): Omit<Verdict, 'name'> {
  if (seen === 'notRun') return { verdict: 'notRun', detail };
  return { verdict: seen === 'open' || seen === 'refused' ? 'broken' : 'held', detail };
}

function judgeName({ answers }: ProbeResult, before: ProbeResult | undefined): Omit<Verdict, 'name'> {
  if (before?.seen !== 'answers')
    return { verdict: 'notRun', detail: `nobody knows where it led before: ${before?.detail ?? 'it was not asked'}` };
  const [was, is] = [spell(before.answers), spell(answers)];
  if (was === is) return { verdict: 'held', detail: `it leads to ${is}, as before` };
  return { verdict: 'broken', detail: `it led to ${was} before the clones booted, and leads to ${is} now` };
}

const spell = (answers: readonly string[]): string =>
  answers.length === 0 ? 'nothing' : answers.toSorted().join(', ');
