// The app's entry: registers every trigger, orchestrator and activity once, from their definitions. Nothing else in the
// app registers anything, so importing a definition has no side effect.
import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { activities, orchestrators } from '../orchestrators/all.ts';
import { capabilities } from './capabilities.ts';
import { committed } from './changefeed/committed.ts';
import { answer } from './http/route.ts';
import { routes } from './http/routes.ts';
import { durableInput, orchestrationsOf } from './orchestrations.ts';
import { applianceEvents } from './servicebus/applianceEvents.ts';
import { poisoned } from './servicebus/poisoned.ts';
import { deadLetterReason, receivedBatch } from './servicebus/received.ts';
import { deltaSyncs } from './timers/deltaSyncs.ts';
import { watchdog } from './timers/watchdog.ts';

for (const route of routes)
  app.http(route.name, {
    methods: [route.method],
    route: route.path,
    // People and appliances bring their own proof; function keys would be a second, weaker one.
    authLevel: 'anonymous',
    extraInputs: [durableInput],
    handler: (request, context) =>
      answer(
        route,
        request,
        () => ({ capabilities: capabilities(), orchestrations: orchestrationsOf(context) }),
        (line) => context.error(line),
      ),
  });

const bus = { connection: 'ServiceBus', queueName: '%LANDFALL_EVENTS_QUEUE%' };

app.serviceBusQueue('applianceEvents', {
  ...bus,
  isSessionsEnabled: true,
  cardinality: 'many',
  handler: (bodies: unknown, context) => applianceEvents(capabilities(), receivedBatch(bodies, context)),
});

app.serviceBusQueue('poisonedEvents', {
  ...bus,
  queueName: `${bus.queueName}/$DeadLetterQueue`,
  cardinality: 'one',
  async handler(body: unknown, context) {
    const reason = deadLetterReason(context) ?? 'no attempt succeeded';
    for (const received of receivedBatch(body, context)) await poisoned(capabilities(), received, reason);
  },
});

app.timer('deltaSyncs', { schedule: '%LANDFALL_DELTA_SCHEDULE%', handler: () => deltaSyncs(capabilities()) });
app.timer('watchdog', {
  schedule: '%LANDFALL_WATCHDOG_SCHEDULE%',
  extraInputs: [durableInput],
  handler: (_timer: unknown, context: InvocationContext) => watchdog(capabilities(), orchestrationsOf(context)),
});

const feed = {
  connection: 'Cosmos',
  databaseName: '%LANDFALL_COSMOS_DATABASE%',
  leaseContainerName: 'leases',
  startFromBeginning: true,
  // Without a retry policy the feed goes on after a failed batch, and what it held would never be told.
  retry: {
    strategy: 'exponentialBackoff',
    maxRetryCount: -1,
    minimumInterval: { milliseconds: 500 },
    maximumInterval: { seconds: 30 },
  },
} as const;

for (const containerName of ['workloads', 'waves', 'environments'])
  app.cosmosDB(`${containerName}Committed`, {
    ...feed,
    containerName,
    leaseContainerPrefix: containerName,
    feedPollDelay: 200,
    extraInputs: [durableInput],
    handler: (documents: unknown[], context: InvocationContext) =>
      committed(documents, orchestrationsOf(context), capabilities().store),
  });

// A feed of its own: a topic that does not answer must not keep milestones from orchestrations.
app.cosmosDB('workloadsPublished', {
  ...feed,
  containerName: 'workloads',
  leaseContainerPrefix: 'published',
  feedPollDelay: 1000,
  handler: (documents: unknown[], context: InvocationContext) =>
    capabilities().publisher.publish(documents, (line) => context.warn(line)),
});

for (const orchestrator of orchestrators) df.app.orchestration(orchestrator.name, orchestrator.handler);
for (const activity of activities)
  df.app.activity(activity.name, { handler: (call: unknown) => activity.handle(capabilities(), call) });
