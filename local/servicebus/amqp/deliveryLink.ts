// A client's receiver: hands out messages of one queue, or of one session of it, as credit allows.
import type { SessionLock, Lane } from '../core/lanes.ts';
import { BusError } from '../core/errors.ts';
import type { MessageQueue, Taken } from '../core/queue.ts';
import { buildDelivery } from '../wire/delivery.ts';
import { swapGuid, uuidBytes } from '../wire/guid.ts';
import { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import { holdAttach, type Link, refuseAttach, sessionFilter, types, writeDrained } from './rhea.ts';

const defaultSessionWait = 60_000;

/** The session filter of an attach: absent, a session id, or null for the next available one. */
function requestedSession(link: Link): string | null | undefined {
  const filter = link.source?.filter;
  if (!filter || !(sessionFilter in filter)) return undefined;
  const value = filter[sessionFilter];
  // .NET and Go send the value described, JavaScript plain.
  const plain = value && typeof value === 'object' && 'value' in value ? value.value : value;
  return typeof plain === 'string' ? plain : null;
}

/** .NET ticks as the eight bytes of a long: they do not fit a double. */
function ticks(ms: number): unknown {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(Math.round(ms)) * 10_000n + 621_355_968_000_000_000n);
  return types.wrap_long(bytes);
}

export class DeliveryLink {
  readonly #peer: Peer;
  readonly #link: Link;
  readonly #queue: MessageQueue;
  readonly #mode: 'peekLock' | 'receiveAndDelete';
  readonly #outbox: Outbox;
  readonly #hold: { release(onWritten: () => void): void };
  readonly #wake = (): void => this.pump();
  #lane: Lane | undefined;
  #lock: SessionLock | undefined;
  #giveUp: (() => void) | undefined;
  #attached = false;
  #closed = false;
  #draining = false;
  /** Taken for good, and not to be seen before that is durable. */
  #committing = 0;

  constructor(peer: Peer, link: Link, queue: MessageQueue) {
    this.#peer = peer;
    this.#link = link;
    this.#queue = queue;
    this.#mode = link.snd_settle_mode === 1 ? 'receiveAndDelete' : 'peekLock';
    this.#outbox = new Outbox(link);
    link.local.attach['snd_settle_mode'] = link.snd_settle_mode;
    link.local.attach['rcv_settle_mode'] = link.rcv_settle_mode;
    this.#hold = holdAttach(link, (drain) => {
      this.#draining = drain;
      this.pump();
    });
  }

  /** Answers the attach: at once, or when a session has been found. */
  open(): void {
    const address = this.#link.source?.address ?? '';
    this.#link.set_target({ address: this.#link.target?.address ?? '' });
    const wanted = requestedSession(this.#link);
    const sessions = this.#queue.options.requiresSession;
    if (sessions !== (wanted !== undefined)) {
      const what = sessions ? 'requires sessions; accept a session' : 'has no sessions';
      throw new BusError('amqp:not-allowed', `The messaging entity '${this.#queue.path}' ${what}.`);
    }
    if (wanted === undefined) {
      this.#link.set_source({ address });
      this.#attach(this.#queue.mainLane);
      return;
    }
    const lost = () =>
      this.fail({
        condition: 'com.microsoft:session-lock-lost',
        description: 'The session lock has expired on the session.',
      });
    if (wanted !== null) {
      this.#granted(this.#queue.sessions.accept(wanted, lost));
      return;
    }
    const asked: unknown = this.#link.properties?.['com.microsoft:timeout'];
    const wait = typeof asked === 'number' ? asked : defaultSessionWait;
    this.#giveUp = this.#queue.sessions.acceptNext(
      this.#peer.broker.environment.now() + wait,
      (lock) => this.#granted(lock),
      () =>
        this.refuse({
          condition: 'com.microsoft:timeout',
          description: 'No session was available before the timeout.',
        }),
      lost,
    );
  }

  /** Sends what credit, window and queue allow, and then answers a drain. */
  pump(): void {
    if (!this.#attached || this.#closed || !this.#lane) return;
    this.#outbox.flush();
    const { outgoing } = this.#link.session;
    const group: Buffer[] = [];
    let isBlocked = false;
    for (;;) {
      const pending = this.#outbox.size + this.#committing + group.length;
      if (this.#link.credit <= pending) break;
      isBlocked = !(outgoing.transfer_window() > pending);
      if (isBlocked) break;
      const taken = this.#queue.take(this.#mode, this.#lane, this.#lock);
      if (!taken) break;
      this.#deliver(taken, group);
    }
    if (group.length > 0) this.#whenDurable(group);
    if (this.#draining && !isBlocked && this.#outbox.size === 0 && this.#committing === 0) {
      this.#draining = false;
      writeDrained(this.#link);
    }
  }

  /** Detaches an open link with an error. */
  fail(error: { condition: string; description: string }): void {
    if (this.#closed) return;
    if (!this.#attached) {
      this.refuse(error);
      return;
    }
    this.dispose();
    this.#link.close(error);
  }

  /** Answers an attach that was held with an error. */
  refuse(error: { condition: string; description: string }): void {
    this.dispose();
    refuseAttach(this.#link, error);
    this.#hold.release(() => {});
  }

  /** The client has closed the link, or the connection is gone. */
  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveUp?.();
    this.#lane?.consumers.delete(this.#wake);
    if (this.#lock) this.#queue.releaseSession(this.#lock);
    if (!this.#attached) this.#hold.release(() => {});
  }

  #granted(lock: SessionLock): void {
    this.#giveUp = undefined;
    this.#lock = lock;
    this.#link.set_source({ address: this.#link.source?.address ?? '', filter: { [sessionFilter]: lock.id } });
    this.#link.local.attach['properties'] = { 'com.microsoft:locked-until-utc': ticks(lock.until) };
    this.#attach(this.#queue.sessions.lane(lock.id));
  }

  #attach(lane: Lane): void {
    this.#lane = lane;
    lane.consumers.add(this.#wake);
    this.#hold.release(() => {
      this.#attached = true;
      this.pump();
    });
  }

  #deliver({ message, token, lockedUntil }: Taken, group: Buffer[]): void {
    const payload = buildDelivery(message.raw, { ...message, lockedUntil });
    if (token !== undefined) {
      const sent = (id: number) => this.#peer.remember(this.#link.session, id, { queue: this.#queue, token });
      this.#outbox.push({ payload, tag: swapGuid(uuidBytes(token)), settled: false, sent });
      return;
    }
    group.push(payload);
  }

  /** Hands over what is gone from the queue for good, once that is durable. */
  #whenDurable(group: readonly Buffer[]): void {
    this.#committing += group.length;
    this.#peer.committed().then(
      () => {
        this.#committing -= group.length;
        if (this.#closed) return;
        for (const payload of group) {
          this.#outbox.push({ payload, tag: uuidBytes(this.#peer.broker.environment.newId()), settled: true });
        }
        this.pump();
      },
      () => this.fail({ condition: 'com.microsoft:server-busy', description: 'The store has failed.' }),
    );
  }
}
