import { z } from 'zod';
import { defineActivity, Nothing } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import { applianceIds } from '../../shared/model/plan.ts';
import { Probe } from '../../shared/model/probe.ts';
import { Check } from '../../shared/model/settings.ts';
import type { SourceService } from '../../shared/model/source.ts';
import { msBetween } from '../../shared/policy/duration.ts';
import { orderServices } from '../../shared/policy/services.ts';
import type { StartedService } from '../../shared/protocol/commands.ts';
import { ServiceState } from '../../shared/protocol/events.ts';
import { workloadOf } from '../../shared/store/plans.ts';

const Asked = z.strictObject({ waveId: z.string(), workloadId: z.string(), operationId: z.string() });

/** How long a change of services is waited for; a command that comes later than that is void. */
export const servicesChangeWithin = { minutes: 30 };

/** Asks the appliance at the source to describe it, or to stop or start services in dependency order. */
export const commandSource = defineActivity({
  name: 'commandSource',
  changes: 'what an appliance is asked for',
  input: Asked.extend({
    command: z.enum(['describe', 'stop', 'start']),
    services: z.array(z.string()).optional(),
    before: z.array(ServiceState).optional().describe('how they were before they were stopped, for a start'),
    notAfter: z.string().optional().describe('when the command is too late'),
  }),
  output: Nothing,
  async effect(
    { store, bus, now },
    { waveId, workloadId, operationId, command, services: names, before = [], notAfter },
    { changed },
  ) {
    const { plan } = await workloadOf(store, { waveId, workloadId });
    const inStartOrder = orderServices(
      plan.source.services.filter(({ name }) => names === undefined || names.includes(name)),
    );
    const common = { operationId, aud: plan.applianceId };
    const workload = { waveId, workloadId };
    if (command === 'describe') {
      const disks = plan.source.disks.map(({ id, path }) => ({ diskId: id, path }));
      await bus.publish({
        ...common,
        type: 'landfall.source.describe',
        data: { ...workload, disks, services: inStartOrder },
      });
    } else {
      const type = command === 'stop' ? 'landfall.services.stop' : 'landfall.services.start';
      const services =
        command === 'stop' ? inStartOrder.toReversed() : inStartOrder.map((service) => asBefore(service, before));
      const secondsLeft = notAfter === undefined ? Number.POSITIVE_INFINITY : msBetween(now(), notAfter) / 1000;
      if (secondsLeft <= 0)
        throw terminal(
          'windowClosed',
          `The latest safe start of ${workloadId}, ${notAfter}, has passed: its services are not stopped.`,
          'Retry once the next window is open, or roll back.',
        );
      const validForSeconds = Math.min(servicesChangeWithin.minutes * 60, Math.ceil(secondsLeft));
      await bus.publish({ ...common, type, data: { ...workload, services } }, { validForSeconds });
    }
    changed({
      verb: 'sent',
      object: `command ${command} to ${plan.applianceId}`,
      ...(names && { after: { services: names } }),
    });
    return null;
  },
});

/** The service with what is to be put back; as it is where no start mode was seen. */
function asBefore(service: SourceService, before: readonly ServiceState[]): StartedService {
  const seen = before.find(({ name }) => name === service.name);
  if (seen?.startMode === undefined || seen.startMode === 'unknown') return service;
  return { ...service, before: { state: seen.state, startMode: seen.startMode } };
}

/** Asks the target appliance to run checks from inside the network. */
export const commandTarget = defineActivity({
  name: 'commandTarget',
  changes: 'what an appliance is asked for',
  input: Asked.extend({ checks: z.array(Check) }),
  output: Nothing,
  async effect({ store, bus }, { waveId, workloadId, operationId, checks }, { changed }) {
    const { plan } = await workloadOf(store, { waveId, workloadId });
    await bus.publish({
      type: 'landfall.check.run',
      operationId,
      aud: applianceIds.target(plan.environmentId),
      data: { waveId, workloadId, checks },
    });
    changed({ verb: 'sent', object: `${checks.length} checks to ${applianceIds.target(plan.environmentId)}` });
    return null;
  },
});

/** Asks the target appliance to look at the network that it is in. */
export const commandProbes = defineActivity({
  name: 'commandProbes',
  changes: 'what an appliance is asked for',
  input: Asked.extend({ probes: z.array(Probe) }),
  output: Nothing,
  async effect({ store, bus }, { waveId, workloadId, operationId, probes }, { changed }) {
    const { plan } = await workloadOf(store, { waveId, workloadId });
    const aud = applianceIds.target(plan.environmentId);
    await bus.publish({ type: 'landfall.probe.run', operationId, aud, data: { waveId, workloadId, probes } });
    changed({ verb: 'sent', object: `${probes.length} probes to ${aud}` });
    return null;
  },
});
