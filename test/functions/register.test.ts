// The entry, loaded as the host loads it: what is registered, and how it is bound.
import { beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../functions/http/routes.ts';
import { loadApp } from '../../local/host/app.ts';
import type { Binding, RegisteredFunction } from '../../local/host/coreModule.ts';
import { activities, orchestrators } from '../../orchestrators/all.ts';
import { repository } from '../tools/temporaryTree.ts';

let functions: ReadonlyMap<string, RegisteredFunction>;
beforeAll(async () => {
  functions = (await loadApp(repository)).functions;
});

const triggerOf = (name: string): Binding | undefined =>
  Object.values(functions.get(name)?.metadata.bindings ?? {}).find(({ type }) => type.endsWith('Trigger'));
const named = (type: string) => [...functions.keys()].filter((name) => triggerOf(name)?.type === type);

describe('the app', () => {
  it('registers every route, orchestrator and activity once, without settings', () => {
    expect(named('httpTrigger').sort()).toEqual(routes.map(({ name }) => name).sort());
    expect(named('orchestrationTrigger').sort()).toEqual(orchestrators.map(({ name }) => name).sort());
    expect(named('activityTrigger').sort()).toEqual(activities.map(({ name }) => name).sort());
  });

  it('takes appliances’ events in sessions and batches, and what they leave in the dead-letter queue', () => {
    expect(triggerOf('applianceEvents')).toMatchObject({
      queueName: '%LANDFALL_EVENTS_QUEUE%',
      connection: 'ServiceBus',
      isSessionsEnabled: true,
      cardinality: 'many',
    });
    expect(triggerOf('poisonedEvents')).toMatchObject({
      queueName: '%LANDFALL_EVENTS_QUEUE%/$DeadLetterQueue',
      connection: 'ServiceBus',
    });
  });

  it('reads the change feed of three containers, of workloads twice, with leases apart, and again when a batch fails', () => {
    const feeds = named('cosmosDBTrigger');
    expect(feeds.map((name) => triggerOf(name)?.['containerName']).sort()).toEqual([
      'environments',
      'waves',
      'workloads',
      'workloads',
    ]);
    expect(new Set(feeds.map((name) => triggerOf(name)?.['leaseContainerPrefix'])).size).toBe(4);
    for (const name of feeds) expect(functions.get(name)?.metadata.retryOptions).toMatchObject({ maxRetryCount: -1 });
  });

  it('lets the settings say how often its timers run', () => {
    expect(
      named('timerTrigger')
        .map((name) => triggerOf(name)?.['schedule'])
        .sort(),
    ).toEqual(['%LANDFALL_DELTA_SCHEDULE%', '%LANDFALL_WATCHDOG_SCHEDULE%']);
  });
});
