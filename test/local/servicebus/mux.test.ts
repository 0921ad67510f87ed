import { once } from 'node:events';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import rhea from 'rhea';
import { expect, it, onTestFinished } from 'vitest';
import { sasToken, start } from './harness.ts';

const portOf = (host: string) => Number(host.split(':')[1]);

async function works(bus: Awaited<ReturnType<typeof start>>): Promise<boolean> {
  await bus.client().createSender('q').sendMessages({ body: 1 });
  return bus.admin().queueExists('q');
}

it('survives bytes that are no protocol of its', async () => {
  const bus = await start({ Queues: [{ Name: 'q' }] });
  const saslHeader = Buffer.from('AMQP\u0003\u0001\u0000\u0000', 'latin1');
  const amqpHeader = Buffer.from('AMQP\u0000\u0001\u0000\u0000', 'latin1');
  const noise = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 37) & 0xff));
  const frame = Buffer.from('0000001002000000005310c0ff0140ff', 'hex');
  const samples = [
    noise,
    Buffer.from('AM'),
    Buffer.concat([saslHeader, noise]),
    Buffer.concat([amqpHeader, noise]),
    Buffer.concat([amqpHeader, frame]),
    Buffer.concat([Buffer.from([0x16, 0x03, 0x01]), noise]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(0),
  ];
  for (const bytes of samples) {
    const socket = connect(portOf(bus.host), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  expect(await works(bus)).toBe(true);
});

it('does not listen beyond loopback names: a request for another host is refused', async () => {
  const bus = await start({ Queues: [{ Name: 'q' }] });
  const headers = {
    host: 'evil.example',
    authorization: sasToken(`http://${bus.host}/q`, 'root', 'root-key-for-tests'),
  };
  const asked = get({ port: portOf(bus.host), host: '127.0.0.1', path: '/q', headers });
  const [response] = await once(asked, 'response');
  expect(response.statusCode).toBe(400);
});

it('administers over plain http too, and answers 401 without a token', async () => {
  const bus = await start({ Queues: [{ Name: 'q' }] });
  for (const [authorization, status] of [
    [sasToken(`http://${bus.host}/q`, 'root', 'root-key-for-tests'), 200],
    [undefined, 401],
  ] as const) {
    const asked = request({
      port: portOf(bus.host),
      host: '127.0.0.1',
      path: '/q',
      ...(authorization && { headers: { authorization } }),
    });
    asked.end();
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(status);
    response.resume();
  }
});

it('gives a client without a token no link at all, to no address', async () => {
  const bus = await start({ Queues: [{ Name: 'q' }] });
  const container = rhea.create_container({ id: 'stranger' });
  const connection = container.connect({
    port: portOf(bus.host),
    host: '127.0.0.1',
    username: 'any',
    reconnect: false,
  });
  onTestFinished(() => connection.close());
  connection.on('disconnected', () => {});
  const refusals: unknown[] = [];
  connection.on('sender_error', ({ sender }) => refusals.push(sender.error.condition));
  connection.on('receiver_error', ({ receiver }) => refusals.push(receiver.error.condition));
  for (const address of ['q', 'q/$management', 'absent']) connection.open_sender(address);
  for (const address of ['q', 'q/$DeadLetterQueue', 'absent']) connection.open_receiver(address);
  await expect.poll(() => refusals).toEqual(Array.from({ length: 6 }, () => 'amqp:unauthorized-access'));
});
