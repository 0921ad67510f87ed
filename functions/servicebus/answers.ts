// Whose waits an appliance may end. An operation id addresses an orchestration, so a signature alone is not enough: an
// appliance that lies must not be able to lie about what others are asked.
import { orchestrators } from '../../orchestrators/all.ts';
import { applianceIds, type WorkloadPlan } from '../../shared/model/plan.ts';

/** What has no instance in front, such as the timer's deltas, wakes nobody. */
const hasInstance = new RegExp(`^(?:${orchestrators.map(({ name }) => name).join('|')}|crew)-`);

/** Whether an operation is one that the workload's own appliances are asked to do. */
export function isOfWorkload(
  { waveId, workloadId }: Pick<WorkloadPlan, 'waveId' | 'workloadId'>,
  operationId: string | undefined,
): boolean {
  if (operationId === undefined || !hasInstance.test(operationId)) return true;
  const [instanceId = ''] = operationId.split(':');
  const ofWorkload = `${waveId}\\.${workloadId}`;
  const own = new RegExp(
    `^(?:(?:prepare|cutover|leave|withdraw)-${ofWorkload}-\\d+|unwind-${ofWorkload}-\\d+-[a-z]+|check-${ofWorkload}-(?:test|cutover)-\\d+-\\d+|prove-${ofWorkload}-(?:noted|booted|tested)-\\d+-\\d+)$`,
  );
  return own.test(instanceId);
}

/** Whether an operation is one that the appliance is asked to do about itself: a worker's verification. */
export function isOfAppliance(applianceId: string, operationId: string | undefined): boolean {
  if (operationId === undefined || !hasInstance.test(operationId)) return true;
  const siteId = /^wave-[a-z0-9-]+:\d+:verifyWorker:([a-z0-9-]+):\d+$/.exec(operationId)?.[1];
  return siteId !== undefined && applianceIds.worker(siteId) === applianceId;
}
