/** The twelve steps by name, in the order of the runbook; `orchestrators/itinerary.ts` has what they do. */
export const stepNames = [
  'targetIam',
  'migrationAppliance',
  'sourceWorker',
  'osAgent',
  'sourceOnboarding',
  'initialSync',
  'deltaSyncs',
  'uat',
  'stopServices',
  'finalDelta',
  'postCutover',
  'finalValidation',
] as const;
export type StepName = (typeof stepNames)[number];
