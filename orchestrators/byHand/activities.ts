import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { defineActivity } from '../../shared/durable/activity.ts';
import type { Heard } from '../../shared/policy/told.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { workloadOf } from '../../shared/store/plans.ts';

/** What is heard of the agent on a source; undefined where its disks are read by somebody else. */
export async function heardOf(
  { store, config }: Pick<Capabilities, 'store' | 'config'>,
  { plan }: WorkloadDocument,
): Promise<Heard | undefined> {
  if (plan.method !== 'agent') return undefined;
  const at = (await store.appliances.get(plan.applianceId))?.heardAt;
  return { at, everySeconds: config.LANDFALL_HEARTBEAT_SECONDS };
}

/** What can be seen of a source without a host: whether its agent was heard since a time, and ports to knock at. */
export const watchSource = defineActivity({
  name: 'watchSource',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), since: z.string() }),
  output: z.strictObject({
    agent: z
      .strictObject({ heard: z.boolean(), at: z.string().nullable(), everySeconds: z.number() })
      .nullable()
      .describe('null where none is on the source'),
    ports: z.array(z.strictObject({ host: z.string(), port: z.int() })),
  }),
  async effect(capabilities, { since, ...workload }) {
    const found = await workloadOf(capabilities.store, workload);
    const heard = await heardOf(capabilities, found);
    const { host, nics, hostName } = found.plan.source;
    const at = heard?.at ?? null;
    return {
      agent: heard === undefined ? null : { heard: at !== null && at >= since, at, everySeconds: heard.everySeconds },
      ports: host.kind === 'byHand' ? host.ports.map((port) => ({ host: nics[0]?.address ?? hostName, port })) : [],
    };
  },
});
