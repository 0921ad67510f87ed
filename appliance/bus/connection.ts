// The appliance's two connections to Service Bus, one per token: send on the events queue, listen on its own
// subscription. Tokens live for an hour at most, so both are replaced, new before old, at half of their life.
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ServiceBusClient,
  type ServiceBusClientOptions,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import type { BusAccess } from '../../shared/protocol/enrolment.ts';
import { type Log, messageOf } from '../log.ts';
import type { Parcel } from './outbox.ts';

export type Verdict = { settle: 'complete' } | { settle: 'deadLetter'; reason: string } | { settle: 'abandon' };

export interface BusHandlers {
  onCommand(body: unknown): Promise<Verdict>;
  /** The broker doesn't accept the token. */
  onUnauthorized(): void;
}

// After a broker's restart the client tries again at once instead of half a minute later.
const options: ServiceBusClientOptions = { retryOptions: { retryDelayInMs: 300, maxRetries: 2, timeoutInMs: 15_000 } };
const commandsAtOnce = 4;
const lockRenewalMs = 30 * 60_000;

export class BusConnection {
  readonly #events: ServiceBusClient;
  readonly #commands: ServiceBusClient;
  readonly #sender: ReturnType<ServiceBusClient['createSender']>;
  readonly #receiver: ServiceBusReceiver;
  readonly #busy = new Set<Promise<void>>();
  #lastTurn: Promise<void> = Promise.resolve();
  #subscription: { close(): Promise<void> } | undefined;

  constructor(access: BusAccess) {
    this.#events = new ServiceBusClient(access.host, { signature: access.eventsToken }, options);
    this.#commands = new ServiceBusClient(access.host, { signature: access.commandsToken }, options);
    this.#sender = this.#events.createSender(access.eventsQueue);
    this.#receiver = this.#commands.createReceiver(access.commandsTopic, access.commandsSubscription, {
      maxAutoLockRenewalDurationInMs: lockRenewalMs,
    });
  }

  /** Starts to receive; errors of the connection are reported and survived. */
  listen(handlers: BusHandlers, log: Log): void {
    this.#subscription = this.#receiver.subscribe(
      {
        processMessage: async (message) => {
          const work = this.#handle(message, handlers, log);
          this.#busy.add(work);
          await work.finally(() => this.#busy.delete(work));
        },
        processError: async ({ error, errorSource }) => {
          log.warn('receiving commands failed', { error: messageOf(error), errorSource });
          if (isUnauthorized(error)) handlers.onUnauthorized();
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: commandsAtOnce },
    );
  }

  /** Resolves when the broker has accepted the event. */
  async send({ id, subject, jws }: Parcel): Promise<void> {
    await this.#sender.sendMessages({ body: jws, messageId: id, sessionId: subject });
  }

  /** Stops receiving, lets running commands settle for a while, and closes. */
  async close(graceMs = 2000): Promise<void> {
    const quietly = (work: Promise<unknown> | undefined): Promise<unknown> =>
      (work ?? Promise.resolve()).catch(() => {});
    const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([quietly(this.#subscription?.close()), grace]);
    await Promise.race([Promise.allSettled(this.#busy), grace]);
    await Promise.race([Promise.all([quietly(this.#events.close()), quietly(this.#commands.close())]), grace]);
  }

  /**
   * rhea@3.0.5 inside the client gives messages that follow one another and are settled in the same turn of the event
   * loop the outcome of the first (lib/session.js, write_dispositions): a refused command would be completed.
   */
  #ownTurn(): Promise<void> {
    const mine = this.#lastTurn;
    this.#lastTurn = mine.then(() => nextTurn());
    return mine;
  }

  async #handle(message: ServiceBusReceivedMessage, handlers: BusHandlers, log: Log): Promise<void> {
    try {
      const verdict = await handlers.onCommand(message.body);
      await this.#ownTurn();
      if (verdict.settle === 'complete') await this.#receiver.completeMessage(message);
      else if (verdict.settle === 'abandon') await this.#receiver.abandonMessage(message);
      else await this.#receiver.deadLetterMessage(message, dead(verdict.reason));
    } catch (error) {
      // A lock that was lost brings the command again, and the operation id keeps it from running twice.
      log.warn('a command could not be settled', { error: messageOf(error) });
    }
  }
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UnauthorizedAccess';
}

// DeadLetterOptions of @azure/service-bus@7.9.5 is meant for a later merge with properties and asks for both.
const dead = (reason: string): { deadLetterReason: string; deadLetterErrorDescription: string } => ({
  deadLetterReason: 'refusedByAppliance',
  deadLetterErrorDescription: reason.slice(0, 1000),
});
