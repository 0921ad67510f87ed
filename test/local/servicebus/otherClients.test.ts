// What clients of other languages ask for and @azure/service-bus 7.9.5 does not: spoken by rhea alone.
import { once } from 'node:events';
import rhea, { type Connection, type Message } from 'rhea';
import { expect, it, onTestFinished } from 'vitest';
import { type Running, sasToken, start } from './harness.ts';

async function connect(bus: Running): Promise<Connection> {
  const port = Number(bus.host.split(':')[1]);
  const options = { port, host: '127.0.0.1', username: 'any', reconnect: false };
  const connection = rhea.create_container().connect(options);
  onTestFinished(() => void connection.close());
  const token = sasToken(`${bus.endpoint}/`, 'root', 'root-key-for-tests');
  const properties = { operation: 'put-token', name: `${bus.endpoint}/`, type: 'servicebus.windows.net:sastoken' };
  await request(connection, '$cbs', properties, token);
  return connection;
}

let replies = 0;

async function request(connection: Connection, address: string, application_properties: object, body: unknown) {
  const name = `reply-${++replies}`;
  const receiver = connection.open_receiver({ name, source: { address }, target: { address: name } });
  const sender = connection.open_sender({ target: { address } });
  await once(sender, 'sendable');
  sender.send({ body, message_id: 'm', reply_to: name, application_properties } as Message);
  const [{ message }] = (await once(receiver, 'message')) as [{ message: Message }];
  receiver.close();
  sender.close();
  return message;
}

const queue = { Queues: [{ Name: 'q', Properties: { RequiresSession: true } }] };

it('lists sessions with messages, or those whose state was set after a time', async () => {
  const bus = await start(queue);
  const client = bus.client();
  const bodies = ['a', 'b', 'b', 'c'].map((sessionId) => ({ body: 1, sessionId }));
  await client.createSender('q').sendMessages(bodies);
  const [before] = [Date.now() - 1];
  const session = await client.acceptSession('q', 'only-state');
  await session.setSessionState('x');
  const connection = await connect(bus);
  const list = async (since: Date, skip = 0) => {
    const body = { 'last-updated-time': since, skip: rhea.types.wrap_int(skip), top: rhea.types.wrap_int(2) };
    const operation = 'com.microsoft:get-message-sessions';
    const { application_properties, body: found } = await request(connection, 'q/$management', { operation }, body);
    return application_properties?.['statusCode'] === 204 ? [] : (found as Record<string, unknown>)['sessions-ids'];
  };
  const all = new Date('9999-12-31T23:59:59.999Z');
  expect([await list(all), await list(all, 2), await list(all, 4)]).toEqual([['a', 'b'], ['c'], []]);
  expect(await list(new Date(before))).toEqual(['only-state']);
  expect(await list(new Date(Date.now() + 60_000))).toEqual([]);
});

it('takes a described session filter, and the empty text for a session', async () => {
  const bus = await start(queue);
  await bus.client().createSender('q').sendMessages({ body: 'x', sessionId: '' });
  const connection = await connect(bus);
  const filter = { 'com.microsoft:session-filter': rhea.types.wrap_described('', 0x137000000c) };
  const receiver = connection.open_receiver({ source: { address: 'q', filter } });
  const [{ message }] = (await once(receiver, 'message')) as [{ message: Message }];
  expect(message.group_id).toBe('');
});
