// How a story's order is given: to whom, by whom, and that whatever is paused goes on.
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import type { ControlDocument } from '../../shared/store/documents.ts';
import { carl } from '../world/persons.ts';
import { type Doings, reason } from './doings.ts';
import type { Action, Order } from './orders.ts';

const routeOf: Record<Action, string> = {
  rollback: 'wavesRollback',
  withdraw: 'wavesRollback',
  cancel: 'wavesCancel',
  pause: 'wavesPause',
  defer: 'workloadsDefer',
  rush: 'workloadsRush',
  revalidate: 'groupsValidate',
};

/** Gives an order to one of the waves, its groups or its workloads: rather to whoever is where the order was to come. */
export async function giveOrder(doings: Doings, order: Order): Promise<void> {
  const { world } = doings;
  const waves = world.documents<{ kind: 'wave'; waveId: string }>('wave');
  const id = waves[order.wave % waves.length]?.waveId;
  if (id === undefined) return;
  const plans = world.plans(id);
  const { action } = order;
  const there = plans.filter(({ workloadId }) => world.workload(id, workloadId)?.state.phase === order.at.after);
  const hasOthers = ({ groupId }: WorkloadPlan) => plans.filter((each) => each.groupId === groupId).length > 1;
  const [meant] = [there.filter(hasOthers), there, plans].filter(({ length }) => length > 0);
  const target = doings.pick(meant ?? plans);
  const { workloadId: wid, groupId: gid } = target;
  // Who is alone in its group does not leave it: the group goes.
  const scope = order.scope === 'workload' && action !== 'pause' && !hasOthers(target) ? 'group' : order.scope;
  const only = scope === 'group' ? { group: gid } : scope === 'workload' ? { workloads: [wid] } : {};
  const { acceptDataLoss, deltas } = order;
  const bodies: Record<Action, object> = {
    rollback: { to: 'replicating', reason, acceptDataLoss, ...only },
    withdraw: { to: 'withdrawn', reason, acceptDataLoss, ...only },
    cancel: { reason },
    pause: { reason, deltas, ...only },
    defer: { reason },
    rush: { reason },
    revalidate: { reason },
  };
  const whom = scope === 'group' ? gid : scope === 'workload' ? wid : id;
  await doings.ask(`${action} ${whom}`, routeOf[action], { id, wid, gid }, bodies[action], carl);
  if (action === 'pause')
    doings.later(order.restMinutes, () => doings.ask(`resume ${whom}`, 'wavesResume', { id }, { reason, ...only }));
}

/** Whatever else has paused a wave: somebody lets it go on after a while. */
export function resumeAfter(doings: Doings, { waveId, signal }: ControlDocument, minutes: number): void {
  if (signal.action !== 'pause' || signal.reason === reason) return;
  doings.later(minutes, () => doings.ask(`resume ${waveId}`, 'wavesResume', { id: waveId }, { reason }));
}
