// Service Bus as the platform uses it: commands out to a topic with one subscription per appliance. Appliances' events
// come in through the Functions trigger, not here. Queue and topic are made by infrastructure, subscriptions here.
import type { TokenCredential } from '@azure/identity';
import { ServiceBusAdministrationClient, ServiceBusClient, type ServiceBusSender } from '@azure/service-bus';
import type { Config } from '../config.ts';
import { toMigrationError } from '../errors.ts';
import { hashOf } from '../hash.ts';
import { signCommand } from '../protocol/signing.ts';
import type { Bus } from './contract.ts';
import { sasToken } from './sas.ts';

const commandValidSeconds = 3600;
const accessMinutes = 60;

export type BusConfig = Pick<
  Config,
  | 'ServiceBus__fullyQualifiedNamespace'
  | 'LANDFALL_EVENTS_QUEUE'
  | 'LANDFALL_COMMANDS_TOPIC'
  | 'LANDFALL_BUS_SEND_KEY_NAME'
  | 'LANDFALL_BUS_SEND_KEY'
  | 'LANDFALL_BUS_LISTEN_KEY_NAME'
  | 'LANDFALL_BUS_LISTEN_KEY'
  | 'LANDFALL_SIGNING_KEY'
>;

/** The bus behind a namespace's host name, which may carry a port. */
export function createBus(config: BusConfig, credential: TokenCredential): Bus {
  const {
    ServiceBus__fullyQualifiedNamespace: host,
    LANDFALL_EVENTS_QUEUE: queue,
    LANDFALL_COMMANDS_TOPIC: topic,
  } = config;
  const sendRule = { name: config.LANDFALL_BUS_SEND_KEY_NAME, key: config.LANDFALL_BUS_SEND_KEY };
  const listenRule = { name: config.LANDFALL_BUS_LISTEN_KEY_NAME, key: config.LANDFALL_BUS_LISTEN_KEY };
  // Our own retries are above this: an activity, a timer, a redelivered message.
  const client = new ServiceBusClient(host, credential, {
    retryOptions: { maxRetries: 2, retryDelayInMs: 300, timeoutInMs: 15_000 },
  });
  const administration = new ServiceBusAdministrationClient(host, credential);
  let sender: ServiceBusSender | undefined;

  return {
    async publish(command, { attempt, validForSeconds = commandValidSeconds } = {}) {
      const { operationId, aud, type } = command;
      try {
        const body = await signCommand(command, config.LANDFALL_SIGNING_KEY, validForSeconds);
        sender ??= client.createSender(topic);
        const messageId = fitting(attempt === undefined ? operationId : `${operationId}#${attempt}`);
        await sender.sendMessages({
          body,
          to: aud,
          messageId,
          subject: type,
          contentType: 'application/jose',
          timeToLive: validForSeconds * 1000,
        });
      } catch (error) {
        throw toMigrationError(error, `sending ${type} to ${aud}`);
      }
    },

    async ensureSubscription(applianceId) {
      const rule = { name: 'addressee', filter: { to: applianceId } };
      try {
        await administration.createSubscription(topic, applianceId, {
          defaultRuleOptions: rule,
          maxDeliveryCount: 100,
          lockDuration: 'PT30S',
          deadLetteringOnMessageExpiration: false,
        });
      } catch (error) {
        if (!isConflict(error)) throw toMigrationError(error, `making the subscription of ${applianceId}`);
      }
    },

    async removeSubscription(applianceId) {
      try {
        await administration.deleteSubscription(topic, applianceId);
      } catch (error) {
        const failure = toMigrationError(error, `removing the subscription of ${applianceId}`);
        if (failure.failure.code !== 'notFound' && !isMissing(error)) throw failure;
      }
    },

    accessFor(applianceId) {
      const expiresAt = new Date(Date.now() + accessMinutes * 60_000);
      return {
        host,
        eventsQueue: queue,
        eventsToken: sasToken(host, queue, sendRule, expiresAt),
        commandsTopic: topic,
        commandsSubscription: applianceId,
        commandsToken: sasToken(host, `${topic}/Subscriptions/${applianceId}`, listenRule, expiresAt),
        expiresAt: expiresAt.toISOString(),
      };
    },

    async close() {
      await client.close();
    },
  };
}

/** Service Bus takes message ids of at most 128 characters. */
function fitting(messageId: string): string {
  return messageId.length <= 128 ? messageId : hashOf(messageId);
}

function isConflict(error: unknown): boolean {
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  return statusCode === 409 || code === 'MessageEntityAlreadyExistsError' || code === 'MessagingEntityAlreadyExists';
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'MessageEntityNotFoundError';
}
