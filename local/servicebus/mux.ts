// One port for AMQP, AMQP over TLS, https and http: the first bytes tell. So one connection string serves the messaging
// client and the administration client, which always speaks https to the host and port of the endpoint.
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface Mux {
  port: number;
  /** Breaks every connection. */
  drop(): void;
  /** Stops listening, lets `farewell` end what it can, and drops every connection that is left. */
  stop(farewell: () => Promise<void>): Promise<void>;
}

export interface MuxOptions {
  port: number;
  tls?: { key: string; cert: string } | undefined;
  amqp(socket: Socket): void;
  http: RequestListener;
}

const tlsHandshake = 0x16;

export async function startMux({ port, tls, amqp, http }: MuxOptions): Promise<Mux> {
  const sockets = new Set<Socket>();
  const web = createHttpServer(http);
  const context = tls ? createSecureContext(tls) : undefined;

  const sniff = (socket: Socket, encrypted: boolean): void => {
    socket.once('readable', () => {
      const head = socket.read() as Buffer | null;
      if (!head || head.length === 0)
        return void (socket.readableEnded || socket.destroyed ? socket.destroy() : sniff(socket, encrypted));
      socket.unshift(head);
      if (head[0] === tlsHandshake && !encrypted) {
        if (!context) return void socket.destroy();
        const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
        secure.on('error', () => socket.destroy());
        return sniff(secure, true);
      }
      if ('AMQP'.startsWith(head.toString('latin1', 0, 4))) return amqp(socket);
      web.emit('connection', socket);
    });
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sniff(socket, false);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    async stop(farewell) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await farewell();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
