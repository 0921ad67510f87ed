// The ceiling's server: rhea that accepts and forgets what it is sent, and sends the same body as long as there is
// credit. No queue, no store, no tokens.
import { once } from 'node:events';
import rhea from 'rhea';
import type { AddressInfo } from 'node:net';
import { body } from './body.ts';

const container = rhea.create_container({ id: 'bare' });
container.options.receiver_options = { credit_window: 1000 };
container.options.sender_options = { snd_settle_mode: 1 };
container.on('sendable', ({ sender }) => {
  while (sender?.sendable()) sender.send({ body });
});
for (const event of ['error', 'disconnected', 'connection_error']) container.on(event, () => {});
const server = container.listen({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
console.log(JSON.stringify({ pid: process.pid, endpoint: `amqp://localhost:${port}` }));
