import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { Host, Hosts } from '../../../shared/hosts/contract.ts';
import type { Source } from '../../../shared/model/source.ts';
import { durationMs } from '../../../shared/policy/duration.ts';
import { believe } from '../../../shared/policy/told.ts';
import { workloadOf } from '../../../shared/store/plans.ts';
import { heardOf } from '../../byHand/activities.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });
export const MachineState = z.strictObject({
  power: z.enum(['on', 'off']),
  nicConnected: z.boolean(),
  told: z
    .strictObject({
      power: z.enum(['on', 'off', 'unknown']),
      network: z.enum(['connected', 'disconnected', 'unknown']),
    })
    .optional()
    .describe('there is no host to ask: what people have confirmed'),
});
export type MachineState = z.infer<typeof MachineState>;

export const inspectMachine = defineActivity({
  name: 'inspectMachine',
  input: Workload,
  output: MachineState,
  async effect(capabilities, workload): Promise<MachineState> {
    const { store, hosts, now } = capabilities;
    const found = await workloadOf(store, workload);
    const { source } = found.plan;
    const host = hosts.of(source);
    if (host === undefined) return believe(found.state.told, await heardOf(capabilities, found), now());
    const { power, nicConnected } = await host.inspect(source);
    return { power, nicConnected };
  },
});

/** The host of a source that has one. Throws for one that has none: people are asked about it, at a gate. */
function hostOf(hosts: Hosts, source: Source): Host {
  const host = hosts.of(source);
  if (host !== undefined) return host;
  throw terminal('unexpected', `${source.id} has no host to ask.`, 'Report this: people should have been asked.');
}

const powerVerb = { shutDown: 'asked to shut down', cut: 'cut the power of', on: 'powered on' } as const;

export const setPower = defineActivity({
  name: 'setPower',
  changes: 'the power of a source',
  input: Workload.extend({
    action: z.enum(['shutDown', 'cut', 'on']),
    notAfter: z.string().describe('fails with `windowClosed` where it would have its effect later').optional(),
  }),
  output: Nothing,
  async effect({ store, hosts, now }, { action, notAfter, ...workload }, { changed }) {
    const { source } = (await workloadOf(store, workload)).plan;
    const host = hostOf(hosts, source);
    const { power } = await host.inspect(source);
    if (notAfter !== undefined && now() > notAfter)
      throw terminal(
        'windowClosed',
        `The latest safe start of ${source.id}'s shutdown, ${notAfter}, has passed: it is not asked.`,
        'Go on past the window, or roll back.',
      );
    if (action === 'shutDown') await host.shutDown(source);
    else if (action === 'cut') await host.powerOff(source);
    else await host.powerOn(source);
    changed({
      verb: powerVerb[action],
      object: `source ${source.id}`,
      before: power,
      after: action === 'on' ? 'on' : 'off',
    });
    return null;
  },
});

export const setNic = defineActivity({
  name: 'setNic',
  changes: 'the network interface of a source',
  input: Workload.extend({ connected: z.boolean() }),
  output: Nothing,
  async effect({ store, hosts }, { connected, ...workload }, { changed }) {
    const { source } = (await workloadOf(store, workload)).plan;
    const host = hostOf(hosts, source);
    const { nicConnected } = await host.inspect(source);
    await host.setNic(source, connected);
    const verb = connected ? 'connected' : 'disconnected';
    changed({
      verb,
      object: `network interface of ${source.id}`,
      before: { connected: nicConnected },
      after: { connected },
    });
    return null;
  },
});

/**
 * What is known of a source that is off: whether its last bytes were copied before, after its services had stopped, and
 * whether somebody else can still read its disks.
 */
export const remains = defineActivity({
  name: 'remains',
  input: Workload,
  output: z.strictObject({
    copied: z.string().describe('the root of the last point').nullable(),
    readable: z.boolean(),
  }),
  async effect({ store }, workload) {
    const { plan, state } = await workloadOf(store, workload);
    const point = state.points.at(-1);
    const since = state.downtime?.began;
    const complete =
      point?.kind === 'final' &&
      since !== undefined &&
      Date.parse(point.startedAt) >= Date.parse(since) &&
      point.disks.every(({ changedBytes }) => changedBytes === 0);
    return { copied: complete ? point.root : null, readable: plan.method === 'agentless' };
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
