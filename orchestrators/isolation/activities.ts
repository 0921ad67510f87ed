// Activities of the isolation proof: what Azure says of rules, records and clones, and what all of it comes to, written
// down before anything relies on it.
import { z } from 'zod';
import type { Azure } from '../../shared/azure/contract.ts';
import { defineActivity, patientRetry } from '../../shared/durable/activity.ts';
import { MigrationError } from '../../shared/errors.ts';
import type { IsolationProof } from '../../shared/lifecycle/events.ts';
import type { Environment } from '../../shared/model/environment.ts';
import { applianceIds, type WorkloadPlan } from '../../shared/model/plan.ts';
import { Probe, ProbeResult } from '../../shared/model/probe.ts';
import { proveIsolation, type TesterFacts } from '../../shared/policy/isolation.ts';
import { judgeProbes, nameProbes, portProbe, reachProbes, recordProbes } from '../../shared/policy/probes.ts';
import type { Store } from '../../shared/store/contract.ts';
import { environmentOf, resourceNames, workloadOf } from '../../shared/store/plans.ts';
import { append } from '../journal/activities.ts';
import { machineNameOf } from '../machines/activities.ts';

const Workloads = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });
const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

export async function plansOf(
  store: Store,
  { waveId, workloadIds }: z.infer<typeof Workloads>,
): Promise<WorkloadPlan[]> {
  return Promise.all(workloadIds.map(async (workloadId) => (await workloadOf(store, { waveId, workloadId })).plan));
}

/** Whom the plans of a group let test: their clones stand behind one security group. */
export function testersOf(plans: readonly WorkloadPlan[]): TesterFacts[] {
  const named = plans.flatMap(({ settings }) => settings.uat.testers);
  return [...new Map(named.map((tester) => [tester.from, tester])).values()];
}

export const spellTesters = (testers: readonly TesterFacts[]): string =>
  testers.length === 0 ? 'nobody' : testers.map(({ name, from }) => `${name} (${from})`).join(', ');

/** What rules say of one workload's clones: what was judged, in words, and what stands against it. */
const Found = z.strictObject({ workloadId: z.string(), rules: z.array(z.string()), reasons: z.array(z.string()) });
type Found = z.infer<typeof Found>;

/** Evaluates the rules around a test subnet and, once the clone is there, around its own interface. */
async function judgeRules(
  azure: Azure,
  plan: WorkloadPlan,
  testers: readonly TesterFacts[],
  cloneIn?: Environment,
): Promise<Found & { prefix: string }> {
  const subnet = await azure.network.describeSubnet(plan.settings.placement.testSubnetId);
  const rulesOf = async (id: string | undefined) => (id === undefined ? [] : azure.network.securityRules(id));
  const rules = await rulesOf(subnet.networkSecurityGroupId);
  const around = proveIsolation(subnet, rules, testers);
  const found = {
    workloadId: plan.workloadId,
    prefix: subnet.addressPrefix,
    rules: [
      `subnet ${subnet.id}, ${rules.length} rules, ${subnet.peerings.length} peerings, reached by ${spellTesters(testers)}: ${spell(around)}`,
    ],
    reasons: around.reasons,
  };
  if (cloneIn === undefined) return found;
  const onNic = await azure.network.machineSecurityGroup(cloneIn, machineNameOf(plan, 'test'));
  const own = proveIsolation({ ...subnet, networkSecurityGroupId: onNic }, await rulesOf(onNic), testers);
  return {
    ...found,
    rules: [...found.rules, `the clone’s interface, behind ${onNic ?? 'nothing'}: ${spell(own)}`],
    reasons: [...new Set([...found.reasons, ...own.reasons.map((reason) => `its interface: ${reason}`)])],
  };
}

const spell = ({ isolated }: { isolated: boolean }): string => (isolated ? 'isolated' : 'open');

/** Evaluates the rules around the test subnets of all workloads, before any clone boots. Reads rules, sends no packet. */
export const proveTestIsolation = defineActivity({
  name: 'proveTestIsolation',
  input: Workloads,
  output: z.array(Found),
  async effect({ store, azure }, group) {
    const plans = await plansOf(store, group);
    const testers = testersOf(plans);
    const found: Found[] = [];
    for (const plan of plans) {
      const { prefix: _, ...judged } = await judgeRules(azure, plan, testers);
      found.push(judged);
    }
    return found;
  },
});

export const When = z.enum(['noted', 'booted', 'tested']);
export type When = z.infer<typeof When>;

/**
 * What is to be seen of one workload, as far as Azure shows it: the records that the cutover will move, and of a clone that
 * has booted its rules and what it reaches; and what the target appliance is to look at.
 */
export const probeThroughAzure = defineActivity({
  name: 'probeThroughAzure',
  input: Workload.extend({ group: z.array(z.string()).describe('all workloads that are tested together'), when: When }),
  output: z.strictObject({
    found: Found,
    seen: z.array(ProbeResult),
    fromInside: z.array(Probe),
    answerWithin: z.string(),
  }),
  async effect({ store, azure }, { waveId, workloadId, group, when }) {
    const { plan, state } = await workloadOf(store, { waveId, workloadId });
    const environment = await environmentOf(store, plan.environmentId);
    const { answerWithin, mustNotReach } = plan.settings.uat;
    const seen: ProbeResult[] = [];
    for (const { name, zoneId, record, type } of recordProbes(plan))
      seen.push(
        ...(await looked([name], async () => {
          const found = await azure.dns.get(zoneId, record, type);
          return [
            { name, seen: 'answers', answers: found?.values ?? [], detail: found?.values.join(', ') ?? 'absent' },
          ];
        })),
      );
    const { ask: fromInside, unknown } =
      when === 'noted' ? { ask: nameProbes(plan), unknown: [] } : namesAgain(plan, state.isolation?.noted ?? []);
    seen.push(...unknown);
    const noRules = { workloadId, rules: [], reasons: [] };
    if (when !== 'booted') return { found: noRules, seen, fromInside, answerWithin };

    const testers = testersOf(await plansOf(store, { waveId, workloadIds: group }));
    const { prefix, ...found } = await judgeRules(azure, plan, testers, environment);
    const clone = machineNameOf(plan, 'test');
    const targets = mustNotReach.map((each) => ({ ...each, name: `clone to ${each.name}` }));
    if (targets.length > 0)
      seen.push(
        ...(await looked(
          targets.map(({ name }) => name),
          async () => {
            const reached = await azure.compute.reachFrom(environment, clone, targets);
            return targets.map(({ name }, index) => ({ name, answers: [], ...(reached[index] ?? nobodySaid) }));
          },
        )),
      );
    const cloneAddress = await azure.compute.privateAddress(environment, clone);
    if (cloneAddress === undefined) {
      const detail = 'the clone has no address';
      const ports = plan.settings.uat.closedPorts.map((port) => portProbe(port));
      seen.push(...ports.map((name): ProbeResult => ({ name, seen: 'notRun', answers: [], detail })));
      return { found, seen, fromInside, answerWithin };
    }
    const appliance = resourceNames.appliance(applianceIds.target(environment.id));
    const applianceAddress = await azure.compute.privateAddress(environment, appliance);
    const inside = [prefix, ...testers.map(({ from }) => from)];
    const reaching = reachProbes(plan, { cloneAddress, applianceAddress, inside });
    const passed =
      reaching.length > 0 || plan.settings.uat.closedPorts.length === 0
        ? []
        : [`the appliance at ${applianceAddress} may reach the clone: nothing is probed from there`];
    const rules = [...found.rules, ...passed];
    return { found: { ...found, rules }, seen, fromInside: [...fromInside, ...reaching], answerWithin };
  },
});

/** A name of which nobody knows where it led before is not asked again: whoever could not answer is not waited for twice. */
function namesAgain(plan: WorkloadPlan, noted: readonly ProbeResult[]): { ask: Probe[]; unknown: ProbeResult[] } {
  const before = new Map(noted.map((result) => [result.name, result]));
  const isKnown = ({ name }: Probe): boolean => before.get(name)?.seen === 'answers';
  const [ask, others] = [nameProbes(plan).filter(isKnown), nameProbes(plan).filter((probe) => !isKnown(probe))];
  const unknown = others.map(({ name }): ProbeResult => {
    const detail = `nobody knows where it led before: ${before.get(name)?.detail ?? 'it was not asked'}`.slice(0, 500);
    return { name, seen: 'notRun', answers: [], detail };
  });
  return { ask, unknown };
}

const nobodySaid = { seen: 'notRun' as const, detail: 'the machine said nothing about it' };

/** What cannot be looked at for good is on record as not run; what fails in passing is tried again. */
async function looked(names: readonly string[], look: () => Promise<ProbeResult[]>): Promise<ProbeResult[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof MigrationError) || error.failure.kind !== 'terminal') throw error;
    const detail = error.failure.message.slice(0, 500);
    return names.map((name) => ({ name, seen: 'notRun', answers: [], detail }));
  }
}

/** What one look came to: what stands against the proof, and the proof in short. */
export const Judged = z.strictObject({ workloadId: z.string(), reasons: z.array(z.string()), proof: z.string() });
export type Judged = z.infer<typeof Judged>;

/** Notes where production names lead before any clone boots. Says what stands against going on: a probe that must run. */
export const noteNames = defineActivity({
  name: 'noteNames',
  input: Workload.extend({ operationId: z.string(), seen: z.array(ProbeResult), leaveOut: z.array(z.string()) }),
  output: Judged,
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadId, operationId, seen, leaveOut }) {
    const { plan } = await workloadOf(store, { waveId, workloadId });
    const common = { id: `${operationId}.noted`, time: now(), source: 'platform', operationId };
    await append(store, { waveId, workloadIds: [workloadId] }, [
      { ...common, type: 'landfall.isolation.noted', data: { names: seen } },
    ]);
    const { reasons } = judgeProbes({ before: seen, seen, policy: plan.settings.uat.probes, leaveOut });
    return { workloadId, reasons, proof: `${seen.length} names noted` };
  },
});

/** Holds what was seen against what was before, writes the proof down, and says what stands against it. */
export const recordIsolation = defineActivity({
  name: 'recordIsolation',
  input: z.strictObject({
    waveId: z.string(),
    operationId: z.string(),
    of: z.string(),
    when: z.enum(['beforeBoot', 'booted', 'tested']),
    findings: z.array(Found.extend({ seen: z.array(ProbeResult) })),
    leaveOut: z.array(z.string()),
  }),
  output: z.array(Judged),
  retry: patientRetry,
  async effect({ store, now }, { waveId, operationId, of, when, findings, leaveOut }) {
    const judged: Judged[] = [];
    for (const { workloadId, rules, reasons: holes, seen } of findings) {
      const { plan, state } = await workloadOf(store, { waveId, workloadId });
      const before = state.isolation?.noted ?? [];
      const { verdicts, reasons: broken } = judgeProbes({ before, seen, policy: plan.settings.uat.probes, leaveOut });
      const reasons = [...holes, ...broken];
      const data: IsolationProof = { of, when, isolated: reasons.length === 0, reasons, rules, probes: verdicts };
      const common = { id: `${operationId}.judged`, time: now(), source: 'platform', operationId };
      await append(store, { waveId, workloadIds: [workloadId] }, [
        { ...common, type: 'landfall.isolation.judged', data },
      ]);
      judged.push({ workloadId, reasons, proof: summary(data) });
    }
    return judged;
  },
});

function summary({ when, isolated, rules, probes }: IsolationProof): string {
  const count = (wanted: string): number => probes.filter(({ verdict }) => verdict === wanted).length;
  const probed = `probes: ${count('held')} held, ${count('notRun')} not run, ${count('leftOut')} left out`;
  return `${when}: ${isolated ? 'isolated' : 'open'}; ${[...rules, probed].join('; ')}`;
}
