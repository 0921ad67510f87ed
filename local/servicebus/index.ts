// Service Bus on loopback: queues, topics, sessions and their administration for the unmodified @azure/service-bus
// 7.9.5, kept in SQLite.
// Layers, each knowing only those before it: wire (bytes), core (pure and synchronous: queues, locks, rules), store (the
// journal), auth, amqp (rhea), http (ATOM), mux (one port for all).
// It must not know the app, listen beyond loopback, acknowledge before the commit, or pretend: what is not built
// is refused with a clear error (docs/local-servicebus.md).
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from './amqp/peer.ts';
import { checkRhea } from './amqp/rhea.ts';
import { AmqpServer } from './amqp/server.ts';
import { Authorizer, type VerifyToken } from './auth/authorizer.ts';
import { Broker } from './core/broker.ts';
import { Deadlines } from './core/deadlines.ts';
import { type Clock, systemClock } from './core/environment.ts';
import { Faults } from './faults.ts';
import { serveAdministration } from './http/administration.ts';
import { startMux } from './mux.ts';
import { authorizationRules, declare, type NamespaceInput, NamespaceShape } from './namespace.ts';
import { SqliteJournal } from './store/journal.ts';
import { recover } from './store/rows.ts';

export type { NamespaceInput } from './namespace.ts';
export type { VerifyToken } from './auth/authorizer.ts';

export interface ServiceBusOptions {
  /** Where `servicebus.sqlite` lies; in memory if absent. */
  dataDir?: string | undefined;
  /** 0 or absent asks for a free port. */
  port?: number | undefined;
  /** PEM. Without it only plain AMQP and http are served. */
  tls?: { key: string; cert: string; ca?: string } | undefined;
  log?: ((line: string) => void) | undefined;
  namespace: NamespaceInput;
  /** Verifies Entra access tokens, which then give full rights; without it they are refused. */
  verifyToken?: VerifyToken | undefined;
  clock?: Clock | undefined;
}

export interface RunningServiceBus {
  /** `localhost:port`, the fully qualified namespace for the clients. */
  host: string;
  /** `sb://localhost:port`, the Endpoint of a connection string. */
  endpoint: string;
  /** For tests. */
  faults: Faults;
  stop(): Promise<void>;
}

/** Starts Service Bus with what the data directory holds and what the namespace declares. */
export async function startServiceBus(options: ServiceBusOptions): Promise<RunningServiceBus> {
  checkRhea();
  const { dataDir, clock = systemClock } = options;
  const log = options.log ?? (() => {});
  const namespace = NamespaceShape.parse(options.namespace);
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  let drop = () => {};
  const faults = new Faults(
    () => broker,
    () => drop(),
  );
  const journal = new SqliteJournal(
    dataDir === undefined ? ':memory:' : join(dataDir, 'servicebus.sqlite'),
    (error) => log(`The store has failed; nothing is acknowledged any more: ${String(error)}`),
    faults.around,
  );
  const committed = () => journal.committed();
  const deadlines = new Deadlines(clock);
  const broker = new Broker({
    now: () => clock.now(),
    newId: () => randomUUID(),
    deadlines,
    journal,
    afterCommit: (run) => void committed().then(run, () => {}),
  });
  try {
    recover(journal.database, broker);
    declare(broker, namespace);
    await committed();
    const authorizer = new Authorizer(authorizationRules(namespace), options.verifyToken, clock);
    const services: Services = { broker, authorizer, committed, admit: faults.admit, log };
    const amqp = new AmqpServer(services);
    const mux = await startMux({
      port: options.port ?? 0,
      tls: options.tls,
      amqp: (socket) => amqp.accept(socket),
      http: serveAdministration({ ...services, namespace: namespace.Name }),
    });
    drop = () => mux.drop();
    const host = `localhost:${mux.port}`;
    log(`Service Bus '${namespace.Name}' listens on ${host}`);
    return {
      host,
      endpoint: `sb://${host}`,
      faults,
      async stop() {
        await mux.stop(() => amqp.close());
        deadlines.stop();
        journal.close();
      },
    };
  } catch (error) {
    deadlines.stop();
    journal.close();
    throw error;
  }
}
