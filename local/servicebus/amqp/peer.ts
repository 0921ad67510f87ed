// One connection: which tokens it has shown, which links it holds, and what it has been handed.
import type { Connection, Session as RheaSession } from 'rhea';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Right } from '../auth/sas.ts';
import type { Broker } from '../core/broker.ts';
import { type Entity, maxMessageSize, requireReceivable, requireSendable } from '../core/admission.ts';
import { BusError, errorOf } from '../core/errors.ts';
import type { MessageQueue } from '../core/queue.ts';
import { parseAddress, resolve } from './address.ts';
import { answerSettled } from './answers.ts';
import { answerPutToken } from './cbs.ts';
import { DeliveryLink } from './deliveryLink.ts';
import { Grants } from './grants.ts';
import { answerManagement } from './management.ts';
import { toOutcome } from './outcome.ts';
import { ReplyLink } from './replyLink.ts';
import { type Link, prepareSession, refuseAttach, type Session } from './rhea.ts';
import { openSendLink, openRequestLink } from './sendLink.ts';

export interface Delivered {
  queue: MessageQueue;
  token: string;
}

interface Guarded {
  path: string;
  right: Right | undefined;
  fail(error: { condition: string; description: string }): void;
  pump?(): void;
  dispose?(): void;
}

export interface Services {
  broker: Broker;
  authorizer: Authorizer;
  committed(): Promise<void>;
  /** Throws where a request is refused whatever it asks. */
  admit(): void;
  log(line: string): void;
}

export class Peer {
  readonly broker: Broker;
  readonly #services: Services;
  readonly grants: Grants;
  readonly #links = new Map<Link, Guarded>();
  readonly #replies = new Map<string, ReplyLink>();
  readonly #deliveries = new WeakMap<RheaSession, Map<number, Delivered>>();

  constructor(connection: Connection, services: Services) {
    this.#services = services;
    this.broker = services.broker;
    this.grants = new Grants(() => services.broker.environment.now());
    const on = (event: string, run: (context: { sender?: unknown; receiver?: unknown }) => void) =>
      connection.on(event, run);
    on('sender_open', ({ sender }) => this.#opened(sender as Link, (link) => this.#openOutgoing(link)));
    on('receiver_open', ({ receiver }) => this.#opened(receiver as Link, (link) => this.#openIncoming(link)));
    on('sender_close', ({ sender }) => this.#closed(sender as Link));
    on('receiver_close', ({ receiver }) => this.#closed(receiver as Link));
    on('session_close', () => this.#closeDead());
    for (const event of ['connection_close', 'disconnected']) on(event, () => this.#gone());
    // Without listeners rhea throws these.
    for (const event of [
      'error',
      'protocol_error',
      'connection_error',
      'session_error',
      'sender_error',
      'receiver_error',
    ]) {
      connection.on(event, (context: unknown) => services.log(`${event}: ${describe(context)}`));
    }
  }

  committed(): Promise<void> {
    return this.#services.committed();
  }

  admit(): void {
    this.#services.admit();
  }

  remember(session: Session, deliveryId: number, delivered: Delivered): void {
    this.#deliveries.get(session)?.set(deliveryId, delivered);
  }

  replyLink(address: string): ReplyLink | undefined {
    return this.#replies.get(address);
  }

  async putToken(type: string, token: string, audience: string): Promise<void> {
    const grant = await this.#services.authorizer.putToken(type, token, audience);
    this.grants.add(grant);
    this.broker.environment.deadlines.add(grant.expiresAt, () => this.#dropUnauthorized());
  }

  #opened(link: Link, open: (link: Link) => void): void {
    if (!this.#deliveries.has(link.session as unknown as RheaSession)) {
      const { session } = link;
      this.#deliveries.set(session, new Map());
      prepareSession(session, {
        onDisposition: (first, last, settled, state) => this.#settle(session, first, last, settled, state),
        onFlow: () => {
          for (const guarded of this.#links.values()) guarded.pump?.();
        },
      });
    }
    try {
      open(link);
    } catch (error) {
      if (!(error instanceof BusError)) this.#services.log(`attach failed: ${describe(error)}`);
      this.#links.delete(link);
      refuseAttach(link, errorOf(error));
    }
  }

  #openOutgoing(link: Link): void {
    const text = link.source?.address ?? '';
    if (text.toLowerCase() === '$cbs') {
      this.#openReplies(link, '$cbs');
      return;
    }
    const address = parseAddress(text);
    this.grants.require(address.text, address.management ? undefined : 'Listen');
    const { entity, queue } = resolve(this.broker, address);
    if (address.management) {
      this.#openReplies(link, address.text);
      return;
    }
    const check = () => requireReceivable(entity, address.part);
    check();
    const delivery = new DeliveryLink(this, link, queue);
    const unwatch = this.#watch(entity, check, (error) => delivery.fail(error));
    this.#links.set(link, {
      path: address.text,
      right: 'Listen',
      fail: (error) => delivery.fail(error),
      pump: () => delivery.pump(),
      dispose: () => {
        unwatch();
        delivery.dispose();
      },
    });
    try {
      delivery.open();
    } catch (error) {
      this.#links.delete(link);
      unwatch();
      delivery.refuse(errorOf(error));
    }
  }

  #openIncoming(link: Link): void {
    const text = link.target?.address ?? '';
    if (text.toLowerCase() === '$cbs') {
      openRequestLink(link, (request) => answerPutToken(this, request));
      return;
    }
    const address = parseAddress(text);
    this.grants.require(address.text, address.management ? undefined : 'Send');
    const { entity, queue } = resolve(this.broker, address);
    if (address.management) openRequestLink(link, (request) => answerManagement(this, address, queue, request));
    else if (address.part !== 'main') {
      throw new BusError('amqp:not-allowed', `Messages cannot be sent to '${address.text}'.`);
    } else {
      requireSendable(entity);
      openSendLink(this, link, address.entity, maxMessageSize(entity));
      const unwatch = this.#watch(
        entity,
        () => requireSendable(entity),
        (error) => link.close(error),
      );
      this.#links.set(link, {
        path: address.text,
        right: 'Send',
        fail: (error) => link.close(error),
        dispose: unwatch,
      });
      return;
    }
    this.#guard(link, address.text, undefined);
  }

  /** Ends a link when its entity was changed so that it may not be; returns how to stop watching. */
  #watch(entity: Entity, check: () => void, fail: (error: { condition: string; description: string }) => void) {
    const changed = () => {
      try {
        check();
      } catch (error) {
        fail(errorOf(error));
      }
    };
    entity.onChanged.add(changed);
    return () => void entity.onChanged.delete(changed);
  }

  #openReplies(link: Link, path: string): void {
    const reply = new ReplyLink(link);
    for (const name of [link.name, link.target?.address]) if (name) this.#replies.set(name, reply);
    this.#guard(link, path, undefined, () => reply.pump());
  }

  #guard(link: Link, path: string, right: Right | undefined, pump: () => void = () => {}): void {
    this.#links.set(link, { path, right, pump, fail: (error) => link.close(error) });
  }

  #settle(session: Session, first: number, last: number, settled: boolean, state: unknown): void {
    const known = this.#deliveries.get(session);
    const answer = (id: number, error?: unknown) => {
      if (!settled) answerSettled(session, id, error === undefined ? undefined : errorOf(error));
    };
    // Ids are given out in order, so a range never needs to reach beyond the last of them.
    for (let id = first; id <= Math.min(last, session.outgoing.next_delivery_id); id++) {
      const delivered = known?.get(id);
      known?.delete(id);
      try {
        if (!delivered)
          throw new BusError('com.microsoft:message-lock-lost', 'The delivery is settled already or unknown.');
        delivered.queue.settle(delivered.token, toOutcome(state));
        this.committed().then(
          () => answer(id),
          (error: unknown) => answer(id, error),
        );
      } catch (error) {
        answer(id, error);
      }
    }
  }

  #dropUnauthorized(): void {
    for (const [link, { path, right, fail }] of this.#links) {
      if (path === '$cbs' || this.grants.allow(path, right)) continue;
      fail({
        condition: 'amqp:unauthorized-access',
        description: `ExpiredToken: the token for '${path}' has expired.`,
      });
      this.#closed(link);
    }
  }

  #closed(link: Link): void {
    this.#links.get(link)?.dispose?.();
    this.#links.delete(link);
    for (const [name, reply] of this.#replies) if (reply.link === link) this.#replies.delete(name);
  }

  #closeDead(): void {
    for (const link of this.#links.keys()) if (!link.session.is_remote_open()) this.#closed(link);
  }

  #gone(): void {
    for (const link of [...this.#links.keys()]) this.#closed(link);
  }
}

function describe(context: unknown): string {
  const error = context && typeof context === 'object' && 'error' in context ? context.error : context;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
