// Every orchestrator and activity of the app, for the one place that registers them.
import type { ActivityDefinition } from '../shared/durable/activity.ts';
import { crew } from '../shared/durable/crew.ts';
import type { OrchestratorDefinition } from '../shared/durable/orchestrator.ts';
import { applianceKnown, dismissAppliance, retireAgentsOf } from './appliances/activities.ts';
import { advanceOperation } from './azure/activities.ts';
import { watchSource } from './byHand/activities.ts';
import { checkPlan, checkThroughAzure } from './checks/activities.ts';
import { check } from './checks.ts';
import { commandProbes, commandSource, commandTarget } from './commands/activities.ts';
import { cutover } from './cutover.ts';
import {
  deletePoints,
  outlineDecommission,
  recordDeleted,
  scheduleDecommission,
  settleDecommission,
} from './decommission/activities.ts';
import { decommission, discard } from './decommission.ts';
import { expire } from './expire.ts';
import { openGate, withdrawGate } from './gates/activities.ts';
import { group } from './group.ts';
import { noteNames, probeThroughAzure, proveTestIsolation, recordIsolation } from './isolation/activities.ts';
import { prove } from './isolation.ts';
import { enterPhase, passOrderOn, recordGroup, recordStep, recordWave } from './journal/activities.ts';
import { askForHelp, followPolicy, helpEnded, leaveGroup, withdrawQuestion } from './journal/attention/activities.ts';
import { recordExpiry } from './journal/expiry/activities.ts';
import { holdersOf, leaseEnvironment, releaseEnvironment } from './journal/leases/activities.ts';
import { tellDependents, unmetNeeds } from './journal/needs/activities.ts';
import { ordersFor, recordUnheeded } from './journal/orders/activities.ts';
import { orderBack, recordWatchFailed, withinWindow } from './journal/overrun/activities.ts';
import { outlineGroup, outlineWave, phaseOf, stillReplicating, withPoint } from './journal/reads/activities.ts';
import { leave } from './leave.ts';
import {
  choosePoint,
  createMachine,
  deletePart,
  importDisk,
  listDisks,
  quarantineGroupOf,
  quarantineMachine,
} from './machines/activities.ts';
import { destroy, launch } from './machines.ts';
import { prepare } from './prepare.ts';
import { findRoleGaps, grantRoles, hasGrants, revokeRoles, rolesEffective } from './steps/01-target-iam/activities.ts';
import {
  deleteApplianceMachine,
  deleteApplianceNic,
  deployAppliance,
  findAppliance,
} from './steps/02-migration-appliance/activities.ts';
import {
  deployWorker,
  findWorker,
  freezeCanary,
  removeWorker,
  siteAllows,
  sitesWithWorkers,
  verifyWorker,
  workerPages,
} from './steps/03-source-worker/activities.ts';
import {
  agentPresent,
  dismissAgent,
  findAgent,
  installAgent,
  pushAgent,
  removeAgent,
} from './steps/04-os-agent/activities.ts';
import { preflightSource } from './steps/05-source-onboarding/activities.ts';
import { createStaging, latestPoint } from './steps/06-initial-sync/activities.ts';
import { cloneLife, earlierSignOff, ensureIsolationGroup, removeIsolationGroup } from './steps/08-uat/activities.ts';
import { goNoGo } from './steps/09-stop-services/activities.ts';
import { inspectMachine, remains, setNic, setPower, shutdownPolicy } from './steps/10-final-delta/activities.ts';
import { act, actBack, confirm } from './steps/11-post-cutover/actions.ts';
import {
  applyAction,
  captureActions,
  listActions,
  precheckActions,
  undoAction,
  undoneActions,
  withoutTraffic,
} from './steps/11-post-cutover/activities.ts';
import { recordTurn } from './steps/12-final-validation/activities.ts';
import { requestSync, stopSync } from './syncs/activities.ts';
import { lowerTtl, planLowering, restoreTtl, whoseTtl } from './ttl/activities.ts';
import { unwind } from './unwind.ts';
import { wave } from './wave.ts';
import { withdraw, withdrawGroup } from './withdraw.ts';
import { judgeFit, recordLaunch } from './windows/activities.ts';

/** What the host needs of an orchestrator: its name and its handler. */
export const orchestrators: readonly Pick<OrchestratorDefinition<never, unknown>, 'name' | 'handler'>[] = [
  wave,
  group,
  prepare,
  cutover,
  unwind,
  withdraw,
  withdrawGroup,
  leave,
  crew,
  launch,
  destroy,
  check,
  prove,
  act,
  actBack,
  confirm,
  expire,
  decommission,
  discard,
];

/** What the host needs of an activity: its name and its effect behind both borders. */
export const activities: readonly Pick<ActivityDefinition<never, unknown>, 'name' | 'handle'>[] = [
  applianceKnown,
  dismissAppliance,
  retireAgentsOf,
  advanceOperation,
  watchSource,
  checkPlan,
  checkThroughAzure,
  commandSource,
  commandTarget,
  openGate,
  withdrawGate,
  enterPhase,
  recordStep,
  askForHelp,
  helpEnded,
  followPolicy,
  leaveGroup,
  withdrawQuestion,
  passOrderOn,
  recordGroup,
  recordWave,
  recordExpiry,
  tellDependents,
  unmetNeeds,
  leaseEnvironment,
  releaseEnvironment,
  holdersOf,
  phaseOf,
  withPoint,
  stillReplicating,
  outlineGroup,
  outlineWave,
  orderBack,
  recordWatchFailed,
  withinWindow,
  ordersFor,
  recordUnheeded,
  choosePoint,
  listDisks,
  importDisk,
  createMachine,
  deletePart,
  quarantineGroupOf,
  quarantineMachine,
  findRoleGaps,
  grantRoles,
  hasGrants,
  rolesEffective,
  revokeRoles,
  findAppliance,
  deployAppliance,
  deleteApplianceMachine,
  deleteApplianceNic,
  findWorker,
  siteAllows,
  freezeCanary,
  deployWorker,
  sitesWithWorkers,
  verifyWorker,
  workerPages,
  removeWorker,
  agentPresent,
  dismissAgent,
  findAgent,
  installAgent,
  pushAgent,
  removeAgent,
  preflightSource,
  latestPoint,
  createStaging,
  proveTestIsolation,
  probeThroughAzure,
  noteNames,
  recordIsolation,
  commandProbes,
  cloneLife,
  earlierSignOff,
  ensureIsolationGroup,
  removeIsolationGroup,
  goNoGo,
  judgeFit,
  recordLaunch,
  inspectMachine,
  remains,
  setPower,
  setNic,
  shutdownPolicy,
  captureActions,
  precheckActions,
  listActions,
  withoutTraffic,
  applyAction,
  undoneActions,
  undoAction,
  recordTurn,
  planLowering,
  lowerTtl,
  whoseTtl,
  restoreTtl,
  scheduleDecommission,
  outlineDecommission,
  deletePoints,
  recordDeleted,
  settleDecommission,
  requestSync,
  stopSync,
];
