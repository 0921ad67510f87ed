import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import type { WorkloadPlan } from '../../../shared/model/plan.ts';
import { shortest } from '../../../shared/policy/duration.ts';
import { proveIsolation, type TesterFacts } from '../../../shared/policy/isolation.ts';
import { signOffEvents, standingSignOff } from '../../../shared/policy/signOff.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { environmentOf, ownership, workloadOf } from '../../../shared/store/plans.ts';
import { Tested } from '../../checks.ts';
import { machineNameOf } from '../../machines/activities.ts';

const Group = z.strictObject({ waveId: z.string(), groupId: z.string(), environmentId: z.string() });
const Workloads = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });
const isolationGroupName = (waveId: string, groupId: string) => `lf-isolated-${waveId}-${groupId}`;

/** What the rules around one workload’s clone say. */
export const Isolated = z.strictObject({ workloadId: z.string(), proof: z.string() });

/** What UAT ends with; `standsSince` if it was signed off in an earlier attempt. */
export const Signed = z.strictObject({
  isolation: z.array(Isolated),
  tested: z.array(Tested),
  signOff: z.string(),
  signedOff: z.array(z.string()).optional().describe('who may be cut over; without it, all'),
  decisions: z.array(z.unknown()),
  standsSince: z.string().optional(),
});
type Signed = z.infer<typeof Signed>;

async function plansOf(store: Store, { waveId, workloadIds }: z.infer<typeof Workloads>): Promise<WorkloadPlan[]> {
  return Promise.all(workloadIds.map(async (workloadId) => (await workloadOf(store, { waveId, workloadId })).plan));
}

/** Whom the plans of a group let test: their clones stand behind one security group. */
function testersOf(plans: readonly WorkloadPlan[]): TesterFacts[] {
  const named = plans.flatMap(({ settings }) => settings.uat.testers);
  return [...new Map(named.map((tester) => [tester.from, tester])).values()];
}

const spell = ({ name, from }: TesterFacts): string => `${name} (${from})`;

/** The sign-off that an earlier attempt has got for all of these workloads and that nothing has voided since, or null. */
export const earlierSignOff = defineActivity({
  name: 'earlierSignOff',
  input: Workloads,
  output: Signed.nullable(),
  async effect({ store }, { waveId, workloadIds }) {
    const signed: Signed[] = [];
    for (const workloadId of workloadIds) {
      const log = await store.workloads.events(waveId, workloadId, 0, { types: signOffEvents });
      const standing = standingSignOff(log.map(({ event }) => event));
      const parsed = Signed.safeParse(standing?.evidence);
      if (standing === undefined || !parsed.success) return null;
      if (parsed.data.signedOff?.includes(workloadId) === false) return null;
      signed.push({ ...parsed.data, standsSince: parsed.data.standsSince ?? standing.at });
    }
    const [first] = signed;
    if (first === undefined) return null;
    // Each workload keeps its own part of what its group was shown.
    const signedOff = workloadIds;
    return {
      ...first,
      signedOff,
      isolation: signed.flatMap((own) => own.isolation),
      tested: signed.flatMap((own) => own.tested),
    };
  },
});

/**
 * Evaluates the rules around the clones: of the test subnet, and once they are there, of each clone's own NIC.
 * It reads rules and sends no packet.
 */
export const proveTestIsolation = defineActivity({
  name: 'proveTestIsolation',
  input: Workloads.extend({ booted: z.boolean() }),
  output: z.strictObject({ reasons: z.array(z.string()), evidence: z.array(Isolated) }),
  async effect({ store, azure }, { waveId, workloadIds, booted }) {
    const reasons: string[] = [];
    const evidence: z.infer<typeof Isolated>[] = [];
    const plans = await plansOf(store, { waveId, workloadIds });
    const testers = testersOf(plans);
    const reached = testers.length === 0 ? 'nobody' : testers.map(spell).join(', ');
    for (const plan of plans) {
      const { workloadId } = plan;
      const subnet = await azure.network.describeSubnet(plan.settings.placement.testSubnetId);
      const rules =
        subnet.networkSecurityGroupId === undefined
          ? []
          : await azure.network.securityRules(subnet.networkSecurityGroupId);
      const proof = proveIsolation(subnet, rules, testers);
      reasons.push(...proof.reasons.map((reason) => `${workloadId}: ${reason}`));
      evidence.push({
        workloadId,
        proof: `subnet ${subnet.id}, ${rules.length} rules, ${subnet.peerings.length} peerings, reached by ${reached}: ${proof.isolated ? 'isolated' : 'open'}`,
      });
      if (!booted) continue;
      const environment = await environmentOf(store, plan.environmentId);
      const onNic = await azure.network.machineSecurityGroup(environment, machineNameOf(plan, 'test'));
      const nicProof = proveIsolation(
        { ...subnet, networkSecurityGroupId: onNic },
        onNic === undefined ? [] : await azure.network.securityRules(onNic),
        testers,
      );
      reasons.push(...nicProof.reasons.map((reason) => `${workloadId}’s clone: ${reason}`));
      evidence.push({
        workloadId,
        proof: `clone: NIC behind ${onNic ?? 'nothing'}: ${nicProof.isolated ? 'isolated' : 'open'}`,
      });
    }
    return { reasons: [...new Set(reasons)], evidence };
  },
});

export const ensureIsolationGroup = defineActivity({
  name: 'ensureIsolationGroup',
  changes: 'the security group of the clones',
  input: Group.extend(Workloads.shape),
  output: z.string(),
  async effect({ store, azure, now }, { waveId, groupId, environmentId, workloadIds }, { changed }) {
    const environment = await environmentOf(store, environmentId);
    const name = isolationGroupName(waveId, groupId);
    const testers = testersOf(await plansOf(store, { waveId, workloadIds }));
    const id = await azure.network.ensureDenyAll(environment, name, ownership(waveId, groupId, now(), 1), testers);
    const but = testers.length === 0 ? '' : ` but ${testers.map(spell).join(', ')}`;
    changed({ verb: 'ensured', object: `security group ${name}`, after: `denies all${but}` });
    return id;
  },
});

export const removeIsolationGroup = defineActivity({
  name: 'removeIsolationGroup',
  changes: 'the security group of the clones',
  input: Group,
  output: Nothing,
  async effect({ store, azure }, { waveId, groupId, environmentId }, { changed }) {
    const name = isolationGroupName(waveId, groupId);
    await azure.network.removeSecurityGroup(await environmentOf(store, environmentId), name);
    changed({ verb: 'removed', object: `security group ${name}`, after: 'absent' });
    return null;
  },
});

/** How long the group's clones may wait for people: the shortest time that any of its workloads allows. */
export const cloneLife = defineActivity({
  name: 'cloneLife',
  input: Workloads,
  output: z.string(),
  async effect({ store }, group) {
    return shortest((await plansOf(store, group)).map(({ settings }) => settings.uat.expiresAfter)) ?? 'PT0S';
  },
});
