import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { longest, shortest } from '../../../shared/policy/duration.ts';
import { signOffEvents, standingSignOff } from '../../../shared/policy/signOff.ts';
import { cloneOwnership, environmentOf, resourceNames } from '../../../shared/store/plans.ts';
import { Tested } from '../../checks.ts';
import { plansOf, spellTesters, testersOf } from '../../isolation/activities.ts';

const Group = z.strictObject({ waveId: z.string(), groupId: z.string(), environmentId: z.string() });
const Workloads = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });

/** What rules and probes say of one workload’s clone, in short: the whole proof is in its journal. */
export const Isolated = z.strictObject({ workloadId: z.string(), proof: z.string() });
export type Isolated = z.infer<typeof Isolated>;

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

export const ensureIsolationGroup = defineActivity({
  name: 'ensureIsolationGroup',
  changes: 'the security group of the clones',
  input: Group.extend(Workloads.shape),
  output: z.string(),
  async effect({ store, azure, now }, { waveId, groupId, environmentId, workloadIds }, { changed }) {
    const environment = await environmentOf(store, environmentId);
    const name = resourceNames.isolationGroup(waveId, groupId);
    const plans = await plansOf(store, { waveId, workloadIds });
    const testers = testersOf(plans);
    const keptFor = longest(plans.map(({ settings }) => settings.uat.expiresAfter)) ?? 'PT0S';
    const tags = cloneOwnership(waveId, groupId, now(), keptFor);
    const id = await azure.network.ensureDenyAll(environment, name, tags, testers);
    changed({ verb: 'ensured', object: `security group ${name}`, after: `lets in ${spellTesters(testers)}` });
    return id;
  },
});

export const removeIsolationGroup = defineActivity({
  name: 'removeIsolationGroup',
  changes: 'the security group of the clones',
  input: Group,
  output: Nothing,
  async effect({ store, azure }, { waveId, groupId, environmentId }, { changed }) {
    const name = resourceNames.isolationGroup(waveId, groupId);
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
