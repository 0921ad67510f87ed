import type { Phase } from '../../shared/lifecycle/phases.ts';

/** The phases from the start of a wave until traffic has moved. */
export const wayToTraffic: readonly Phase[] = [
  'preparing',
  'replicating',
  'cutoverQueued',
  'stoppingServices',
  'finalSync',
  'sourceOff',
  'launching',
  'trafficMoved',
];
