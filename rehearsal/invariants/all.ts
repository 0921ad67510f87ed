import { approverIsNotRequester } from './approverIsNotRequester.ts';
import { everythingTagged } from './everythingTagged.ts';
import type { Invariant } from './invariant.ts';
import { noLateStart } from './noLateStart.ts';
import { noUnacceptedLoss } from './noUnacceptedLoss.ts';
import { noUnaskedCleanup } from './noUnaskedCleanup.ts';
import { oneSideServes } from './oneSideServes.ts';
import { oneSyncInFlight } from './oneSyncInFlight.ts';
import { operationsOnce } from './operationsOnce.ts';
import { sourceOffHasWay } from './sourceOffHasWay.ts';
import { stateIsFold } from './stateIsFold.ts';

/** In the order of architecture.md. */
export const invariants: readonly Invariant[] = [
  oneSideServes,
  sourceOffHasWay,
  everythingTagged,
  noUnaskedCleanup,
  operationsOnce,
  oneSyncInFlight,
  approverIsNotRequester,
  noLateStart,
  noUnacceptedLoss,
  stateIsFold,
];
