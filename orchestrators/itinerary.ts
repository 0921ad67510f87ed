// The twelve steps as data. Agent-based, agentless, resumed: each is a list, not a flag inside a step.
import type { AnyStep } from '../shared/durable/step.ts';
import { targetIam } from './steps/01-target-iam/step.ts';
import { migrationAppliance } from './steps/02-migration-appliance/step.ts';
import { sourceWorker } from './steps/03-source-worker/step.ts';
import { osAgent } from './steps/04-os-agent/step.ts';
import { sourceOnboarding } from './steps/05-source-onboarding/step.ts';
import { initialSync } from './steps/06-initial-sync/step.ts';
import { deltaSyncs } from './steps/07-delta-syncs/step.ts';
import { uat } from './steps/08-uat/step.ts';
import { stopServices } from './steps/09-stop-services/step.ts';
import { finalDelta } from './steps/10-final-delta/step.ts';
import { postCutover } from './steps/11-post-cutover/step.ts';
import { finalValidation } from './steps/12-final-validation/step.ts';

/** Every step there is, in the order of the runbook. */
export const allSteps: readonly AnyStep[] = [
  targetIam,
  migrationAppliance,
  sourceWorker,
  osAgent,
  sourceOnboarding,
  initialSync,
  deltaSyncs,
  uat,
  stopServices,
  finalDelta,
  postCutover,
  finalValidation,
];

/** Steps 4-7 of one workload, by the way its disks are read. */
export const prepareSteps: Record<'agent' | 'agentless', readonly AnyStep[]> = {
  agent: [osAgent, sourceOnboarding, initialSync, deltaSyncs],
  agentless: [sourceOnboarding, initialSync, deltaSyncs],
};

/** Steps 9 and 10 of one workload. */
export const cutoverSteps: readonly AnyStep[] = [stopServices, finalDelta];
