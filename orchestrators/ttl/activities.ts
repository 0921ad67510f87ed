// Times to live of the records that cutover actions change: what is to be lowered and when, lowering it, putting it back.
import { z } from 'zod';
import { actionOf } from '../../shared/actions/all.ts';
import type { Azure } from '../../shared/azure/contract.ts';
import { defineActivity, Nothing } from '../../shared/durable/activity.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { type LoweredRecord, sameRecord } from '../../shared/lifecycle/ttl.ts';
import { durationMs, plusMs } from '../../shared/policy/duration.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { workloadOf } from '../../shared/store/plans.ts';
import { append } from '../journal/activities.ts';

const Batch = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });

/** Lowering takes a moment as well, and clients round up. */
const marginMs = 60_000;

/** The records that a workload's actions change. */
function recordsOf({ plan }: WorkloadDocument) {
  return plan.settings.cutover.actions.flatMap((action) => actionOf(action).record(action) ?? []);
}

/** Those that live longer than the plan wants around the cutover, and do not yet count as lowered. */
async function tooLong(azure: Azure, workload: WorkloadDocument): Promise<(LoweredRecord & { seconds: number })[]> {
  const { lower, during } = workload.plan.settings.cutover.ttl;
  const found: (LoweredRecord & { seconds: number })[] = [];
  for (const { afterwards: _, ...name } of lower ? recordsOf(workload) : []) {
    const { ttlSeconds = 0 } = (await azure.dns.get(name.zoneId, name.record, name.type)) ?? {};
    if (ttlSeconds > during) found.push({ ...name, wasSeconds: ttlSeconds, seconds: during });
  }
  return found;
}

/** When records must be lowered for a window to begin without old answers. */
function dueFor({ plan }: WorkloadDocument, records: readonly LoweredRecord[], opens: string): string {
  const lived = Math.max(0, ...records.map(({ wasSeconds }) => wasSeconds)) * 1000;
  return plusMs(opens, -Math.max(durationMs(plan.settings.cutover.ttl.ahead), lived + marginMs));
}

export const planLowering = defineActivity({
  name: 'planLowering',
  input: Batch.extend({ opens: z.string() }),
  output: z.strictObject({
    due: z.string().nullable().describe('when records are to be lowered; null: none is'),
    early: z.array(z.string()).describe('whose records are lowered for a window that is not this one'),
    clearAt: z.string().nullable().describe('when old answers run out of records that are lowered'),
  }),
  async effect({ store, azure, now }, { waveId, workloadIds, opens }) {
    const at = now();
    const dues: string[] = [];
    const clear: string[] = [];
    const early: string[] = [];
    for (const workloadId of workloadIds) {
      const workload = await workloadOf(store, { waveId, workloadId });
      const { ttl } = workload.state;
      const known = ttl?.records ?? [];
      const isEarly = known.length > 0 && at < dueFor(workload, known, opens);
      if (isEarly) early.push(workloadId);
      else if (ttl?.clearAt !== undefined) clear.push(ttl.clearAt);
      const wanting = await tooLong(azure, workload);
      if (wanting.length > 0 || isEarly) dues.push(dueFor(workload, [...known, ...wanting], opens));
      // A try before this one has not come to its end: nobody knows yet until when old answers run.
      else if (ttl !== undefined && ttl.clearAt === undefined) dues.push(at);
    }
    return { due: dues.sort()[0] ?? null, early, clearAt: clear.sort().at(-1) ?? null };
  },
});

/** Lowers what lives too long, and says when the last of the old answers has run out. What was before is written down first. */
export const lowerTtl = defineActivity({
  name: 'lowerTtl',
  changes: 'how long DNS records live',
  input: Batch,
  output: z.string().nullable(),
  async effect({ store, azure, now }, { waveId, workloadIds }, { operationId, changed }) {
    const clear: string[] = [];
    for (const workloadId of workloadIds) {
      const workload = await workloadOf(store, { waveId, workloadId });
      const write = (event: Pick<PlatformEvent, 'type' | 'data'>) =>
        append(store, { waveId, workloadIds: [workloadId] }, [
          {
            id: `${operationId}.${event.type}`,
            time: now(),
            source: 'platform',
            operationId,
            ...event,
          } as PlatformEvent,
        ]);
      const wanting = await tooLong(azure, workload);
      if (wanting.length > 0) await write({ type: 'landfall.ttl.lowering', data: { records: wanting } });
      for (const { zoneId, record, type, wasSeconds, seconds } of wanting) {
        const is = await azure.dns.get(zoneId, record, type);
        if (is === undefined) continue;
        await azure.dns.set(zoneId, record, type, { ...is, ttlSeconds: seconds });
        const object = `time to live of ${type} ${record} in ${zoneId}`;
        changed({ workloadId, verb: 'lowered', object, before: wasSeconds, after: seconds });
      }
      const { ttl } = (await workloadOf(store, { waveId, workloadId })).state;
      if (ttl === undefined) continue;
      if (wanting.length > 0 || ttl.clearAt === undefined) {
        const lived = Math.max(...ttl.records.map(({ wasSeconds }) => wasSeconds));
        await write({ type: 'landfall.ttl.lowered', data: { clearAt: plusMs(now(), lived * 1000) } });
      }
      const clearAt = (await workloadOf(store, { waveId, workloadId })).state.ttl?.clearAt;
      if (clearAt !== undefined) clear.push(clearAt);
    }
    return clear.sort().at(-1) ?? null;
  },
});

/** Whose records do not live as they are to: lowered ones, and after a commit those with a time to live of their own. */
export const whoseTtl = defineActivity({
  name: 'whoseTtl',
  input: Batch.extend({ after: z.enum(['commit', 'back']) }),
  output: z.array(z.string()),
  async effect({ store }, { waveId, workloadIds, after }) {
    const workloads = await Promise.all(workloadIds.map((workloadId) => workloadOf(store, { waveId, workloadId })));
    return workloads
      .filter((one) => one.state.ttl !== undefined || (after === 'commit' && endsOf(one).length > 0))
      .map(({ workloadId }) => workloadId);
  },
});

/** The records of a committed workload that are to live a time of their own. */
function endsOf(workload: WorkloadDocument) {
  return workload.plan.settings.cutover.ttl.lower
    ? recordsOf(workload).flatMap(({ afterwards, ...name }) =>
        afterwards === undefined ? [] : [{ ...name, seconds: afterwards }],
      )
    : [];
}

/** Lets records live as long as they did, or, once they have moved for good, as the plan says. */
export const restoreTtl = defineActivity({
  name: 'restoreTtl',
  changes: 'how long DNS records live',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    after: z.enum(['commit', 'back']),
    reason: z.string(),
    byHand: z.boolean().describe('somebody has done it: it is only written down'),
  }),
  output: Nothing,
  async effect({ store, azure, now }, { after, reason, byHand, ...workload }, { operationId, changed }) {
    const found = await workloadOf(store, workload);
    const own = after === 'commit' ? endsOf(found) : [];
    const others = (found.state.ttl?.records ?? []).filter((one) => !own.some((ended) => sameRecord(ended, one)));
    const wanted = [...own, ...others.map(({ wasSeconds: seconds, ...name }) => ({ ...name, seconds }))];
    for (const { zoneId, record, type, seconds } of byHand ? [] : wanted) {
      const is = await azure.dns.get(zoneId, record, type);
      if (is === undefined || is.ttlSeconds === seconds) continue;
      await azure.dns.set(zoneId, record, type, { ...is, ttlSeconds: seconds });
      const object = `time to live of ${type} ${record} in ${zoneId}`;
      changed({ verb: 'restored', object, before: is.ttlSeconds, after: seconds });
    }
    if (found.state.ttl === undefined) return null;
    await append(store, { waveId: workload.waveId, workloadIds: [workload.workloadId] }, [
      {
        id: `${operationId}.restored`,
        ...{ time: now(), source: 'platform', operationId },
        ...{ type: 'landfall.ttl.restored', data: { reason } },
      },
    ]);
    return null;
  },
});
