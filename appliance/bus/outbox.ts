// Events on their way out. What matters is signed, numbered and durable before it is sent, and stays until the broker
// has accepted it, over restarts; progress and heartbeats are sent when nothing else waits, and are never kept.
import { randomUUID } from 'node:crypto';
import type { ApplianceEventData, ApplianceEventType, Envelope } from '../../shared/protocol/events.ts';
import { applianceEventData } from '../../shared/protocol/events.ts';
import { signEvent } from '../../shared/protocol/signing.ts';
import type { Identity } from '../platform/identity.ts';
import type { Store } from '../state/store.ts';

export interface Parcel {
  id: string;
  subject: string;
  jws: string;
}

export interface EmitOptions {
  /** The command that the event answers. */
  operationId?: string | undefined;
  /** The event ends its operation: if the command comes again, this very event is sent again. */
  finishes?: boolean;
  /** Becomes durable together with the event. */
  commit?: () => void;
}

export class Outbox {
  readonly #identity: Identity;
  readonly #store: Store;
  #tail: Promise<unknown> = Promise.resolve();
  #passing: Parcel | undefined;
  #onWork: () => void = () => {};

  constructor(identity: Identity, store: Store) {
    this.#identity = identity;
    this.#store = store;
  }

  /** Called whenever there is something to send. */
  set onWork(wake: () => void) {
    this.#onWork = wake;
  }

  /** Makes an event durable; resolves as soon as it is, not when it is sent. */
  emit<T extends ApplianceEventType>(
    type: T,
    subject: string,
    data: ApplianceEventData<T>,
    { operationId, finishes = false, commit }: EmitOptions = {},
  ): Promise<void> {
    return this.#inOrder(async () => {
      const parcel = await this.#sign(type, subject, data, operationId);
      this.#store.commit(() => {
        this.#put(parcel);
        if (operationId !== undefined && finishes) this.#finish(operationId, parcel);
        commit?.();
      });
      this.#onWork();
    });
  }

  /** Sends an event if nothing else waits; otherwise the next one will say more anyway. */
  async offer<T extends ApplianceEventType>(type: T, subject: string, data: ApplianceEventData<T>): Promise<void> {
    if (this.#passing || this.next()) return;
    await this.#inOrder(async () => {
      this.#passing = await this.#sign(type, subject, data);
      this.#onWork();
    });
  }

  /** Whether the operation has ended; its answer, if it has one, is sent again. */
  answered(operationId: string): boolean {
    const found = this.#store.get('SELECT event AS id, subject, jws FROM operation WHERE id = ?', operationId);
    if (!found) return false;
    if (found['id'] !== null) {
      this.#store.commit(() => this.#put(found as unknown as Parcel));
      this.#onWork();
    }
    return true;
  }

  /** Notes that an operation has ended without an answer. */
  finishSilently(operationId: string): void {
    this.#store.commit(() => this.#finish(operationId, undefined));
  }

  /** Oldest first; what passes only when nothing is kept. */
  next(): Parcel | undefined {
    const kept = this.#store.get('SELECT id, subject, jws FROM outbox ORDER BY n LIMIT 1');
    return kept ? (kept as unknown as Parcel) : this.#passing;
  }

  accepted(parcel: Parcel): void {
    if (parcel === this.#passing) this.#passing = undefined;
    else this.#store.commit(() => this.#store.run('DELETE FROM outbox WHERE id = ?', parcel.id));
  }

  /** Operations are remembered for longer than any command is valid. */
  forgetOldOperations(olderThanDays = 30): void {
    const before = Date.now() - olderThanDays * 86_400_000;
    this.#store.commit(() => this.#store.run('DELETE FROM operation WHERE finished < ?', before));
  }

  #put({ id, subject, jws }: Parcel): void {
    this.#store.run('INSERT OR IGNORE INTO outbox (id, subject, jws) VALUES (?, ?, ?)', id, subject, jws);
  }

  #finish(operationId: string, parcel: Parcel | undefined): void {
    const sql = 'INSERT OR IGNORE INTO operation (id, finished, event, subject, jws) VALUES (?, ?, ?, ?, ?)';
    const { id = null, subject = null, jws = null } = parcel ?? {};
    this.#store.run(sql, operationId, Date.now(), id, subject, jws);
  }

  async #sign<T extends ApplianceEventType>(
    type: T,
    subject: string,
    data: ApplianceEventData<T>,
    operationId?: string,
  ): Promise<Parcel> {
    const { applianceId, privateKey } = this.#identity;
    const envelope: Envelope = {
      specversion: '1.0',
      id: randomUUID(),
      source: applianceId,
      type,
      subject,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      sequence: this.#nextSequence(subject),
      ...(operationId !== undefined && { operationid: operationId }),
      data: applianceEventData[type].parse(data),
    };
    return { id: envelope.id, subject, jws: await signEvent(envelope, applianceId, privateKey) };
  }

  #nextSequence(subject: string): number {
    const sql = `INSERT INTO sequence VALUES (?, 1) ON CONFLICT (subject) DO UPDATE SET last = last + 1 RETURNING last`;
    return this.#store.commit(() => Number(this.#store.get(sql, subject)?.['last']));
  }

  /** One after the other, so that sequence numbers leave in the order in which they were given. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => {});
    return done;
  }
}
