import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { durationMs } from '../../../shared/policy/duration.ts';
import { workloadOf } from '../../../shared/store/plans.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });
export const MachineState = z.strictObject({ power: z.enum(['on', 'off']), nicConnected: z.boolean() });

export const inspectMachine = defineActivity({
  name: 'inspectMachine',
  input: Workload,
  output: MachineState,
  async effect({ store, hosts }, workload) {
    const { source } = (await workloadOf(store, workload)).plan;
    const { power, nicConnected } = await hosts.of(source).inspect(source);
    return { power, nicConnected };
  },
});

export const setPower = defineActivity({
  name: 'setPower',
  input: Workload.extend({ action: z.enum(['shutDown', 'cut', 'on']) }),
  output: Nothing,
  async effect({ store, hosts }, { action, ...workload }) {
    const { source } = (await workloadOf(store, workload)).plan;
    const host = hosts.of(source);
    if (action === 'shutDown') await host.shutDown(source);
    else if (action === 'cut') await host.powerOff(source);
    else await host.powerOn(source);
    return null;
  },
});

export const setNic = defineActivity({
  name: 'setNic',
  input: Workload.extend({ connected: z.boolean() }),
  output: Nothing,
  async effect({ store, hosts }, { connected, ...workload }) {
    const { source } = (await workloadOf(store, workload)).plan;
    await hosts.of(source).setNic(source, connected);
    return null;
  },
});

export const shutdownPolicy = defineActivity({
  name: 'shutdownPolicy',
  input: Workload,
  output: z.strictObject({ withinSeconds: z.number(), onRefused: z.enum(['force', 'abort']) }),
  async effect({ store }, workload) {
    const { shutdownWithin, onShutdownRefused } = (await workloadOf(store, workload)).plan.settings.cutover;
    return { withinSeconds: durationMs(shutdownWithin) / 1000, onRefused: onShutdownRefused };
  },
});
