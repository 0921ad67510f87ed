// The twelve steps as people read them.
export const steps = [
  { number: 1, name: 'targetIam', title: 'target IAM' },
  { number: 2, name: 'migrationAppliance', title: 'migration appliance' },
  { number: 3, name: 'sourceWorker', title: 'source worker' },
  { number: 4, name: 'osAgent', title: 'OS agent' },
  { number: 5, name: 'sourceOnboarding', title: 'source onboarding' },
  { number: 6, name: 'initialSync', title: 'initial sync' },
  { number: 7, name: 'deltaSyncs', title: 'delta syncs' },
  { number: 8, name: 'uat', title: 'UAT' },
  { number: 9, name: 'stopServices', title: 'stop services' },
  { number: 10, name: 'finalDelta', title: 'final delta, source off' },
  { number: 11, name: 'postCutover', title: 'post-cutover' },
  { number: 12, name: 'finalValidation', title: 'final validation' },
] as const;
