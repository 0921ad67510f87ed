import { z } from 'zod';
import type { Azure } from '../../shared/azure/contract.ts';
import { defineActivity } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import type { Environment } from '../../shared/model/environment.ts';
import { Check } from '../../shared/model/settings.ts';
import { CheckResult } from '../../shared/protocol/events.ts';
import { environmentOf, workloadOf } from '../../shared/store/plans.ts';
import { machineNameOf, Purpose } from '../machines/activities.ts';

/** The checks of a plan and the patience with them: UAT's for a clone, validation's for the target. */
export const checkPlan = defineActivity({
  name: 'checkPlan',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), purpose: Purpose }),
  output: z.strictObject({
    checks: z.array(Check),
    tries: z.int(),
    tryEvery: z.string(),
    answerWithin: z.string(),
  }),
  async effect({ store }, { purpose, ...workload }) {
    const { plan, state } = await workloadOf(store, workload);
    const { uat, validation } = plan.settings;
    const proof = state.isolation?.proof;
    // Whoever asks has proven it already. No test starts on the word of a caller alone.
    if (purpose === 'test' && (proof?.isolated !== true || proof.when === 'beforeBoot'))
      throw terminal(
        'isolationBroken',
        `The clone of ${workload.workloadId} is not proven isolated: its tests do not start.`,
        'Retry: the proof is made anew.',
      );
    const { checks, tries, tryEvery, answerWithin } = purpose === 'test' ? uat : validation;
    return { checks, tries, tryEvery, answerWithin };
  },
});

/** The checks that ask Azure: `boot` and `file` about the machine, `dns` about the zone. */
export const checkThroughAzure = defineActivity({
  name: 'checkThroughAzure',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), purpose: Purpose, checks: z.array(Check) }),
  output: z.array(CheckResult),
  async effect({ store, azure }, { purpose, checks, ...workload }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const machine = machineNameOf(plan, purpose);
    const results: CheckResult[] = [];
    for (const check of checks) results.push(await runOne(azure, environment, machine, check));
    return results;
  },
});

async function runOne(azure: Azure, environment: Environment, machine: string, check: Check): Promise<CheckResult> {
  const { name } = check;
  switch (check.kind) {
    case 'boot': {
      const power = await azure.compute.power(environment, machine);
      return { name, passed: power === 'running', detail: `power state: ${power}` };
    }
    case 'file': {
      const text = await azure.compute.runCommand(environment, machine, [`cat ${check.path}`]);
      const passed = check.contains === undefined ? text.length > 0 : text.includes(check.contains);
      return {
        name,
        passed,
        detail: passed
          ? `${check.path}: ${text.length} characters`
          : `${check.path} does not contain "${check.contains ?? ''}": ${text.slice(0, 200)}`,
      };
    }
    case 'dns': {
      const record =
        (await azure.dns.get(check.zoneId, check.record, 'A')) ??
        (await azure.dns.get(check.zoneId, check.record, 'AAAA')) ??
        (await azure.dns.get(check.zoneId, check.record, 'CNAME'));
      const expected = check.expect.includes('{target.ip}')
        ? check.expect.replaceAll('{target.ip}', (await azure.compute.privateAddress(environment, machine)) ?? '?')
        : check.expect;
      const passed = record?.values.includes(expected) === true;
      return {
        name,
        passed,
        detail: `${check.record} is ${record?.values.join(', ') ?? 'absent'}, wanted ${expected}`,
      };
    }
    default:
      return { name, passed: false, detail: `a ${check.kind} check is run by the target appliance` };
  }
}
