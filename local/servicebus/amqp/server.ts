// All AMQP connections of the namespace.
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'rhea';
import { Peer, type Services } from './peer.ts';
import { acceptSocket, createContainer } from './rhea.ts';

export class AmqpServer {
  readonly #services: Services;
  readonly #container = createContainer(`landfall-${randomUUID()}`);
  readonly #open = new Map<Connection, Promise<void>>();

  constructor(services: Services) {
    this.#services = services;
  }

  accept(socket: Socket): void {
    const connection = acceptSocket(this.#container, socket);
    new Peer(connection, this.#services);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.#open.set(
      connection,
      closed.finally(() => this.#open.delete(connection)),
    );
  }

  /**
   * Says goodbye and gives the clients a moment to answer. A client whose connection just breaks never finishes its own
   * `close()` (@azure/service-bus 7.9.5); one that is told reconnects or closes.
   */
  async close(graceMs = 200): Promise<void> {
    const closed = Promise.all(this.#open.values());
    for (const connection of this.#open.keys()) {
      connection.close({ condition: 'amqp:connection:forced', description: 'The service is stopping.' });
    }
    const abort = new AbortController();
    const grace = delay(graceMs, undefined, { signal: abort.signal }).catch(() => {});
    await Promise.race([closed, grace]);
    abort.abort();
  }
}
