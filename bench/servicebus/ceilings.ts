// Bare AMQP between two rhea processes: what a send or a receipt costs before anybody queues, stores or counts it.
import { once } from 'node:events';
import rhea from 'rhea';
import { body } from './body.ts';
import { measure, type Row } from './measure.ts';

export const bareSend = 'ceiling: rhea to rhea, send one by one';

export async function runCeilings(port: number, pid: number, seconds: number, keep: (row: Row) => void): Promise<void> {
  const connection = rhea.create_container({ id: 'ceiling' }).connect({ port, host: '127.0.0.1', reconnect: false });
  await once(connection, 'connection_open');

  keep(await measure('ceiling: rhea to rhea, send as credit allows', pid, () => send(false)));
  keep(await measure(bareSend, pid, () => send(true)));
  keep(await measure('ceiling: rhea to rhea, receive', pid, receive));
  connection.close();

  async function send(oneByOne: boolean): Promise<{ count: number }> {
    const sender = connection.open_sender({ target: { address: 'any' } });
    const end = performance.now() + seconds * 1000;
    let sent = 0;
    let accepted = 0;
    const push = () => {
      while (sender.sendable() && performance.now() < end && (!oneByOne || sent === accepted)) {
        sender.send({ body });
        sent++;
      }
    };
    await new Promise<void>((resolve) => {
      sender.on('sendable', push);
      sender.on('accepted', () => {
        accepted++;
        push();
        if (performance.now() >= end && accepted === sent) resolve();
      });
    });
    sender.close();
    return { count: accepted };
  }

  async function receive(): Promise<{ count: number }> {
    const receiver = connection.open_receiver({ source: { address: 'any' }, credit_window: 1000 });
    const end = performance.now() + seconds * 1000;
    let count = 0;
    await new Promise<void>((resolve) => {
      receiver.on('message', () => {
        count++;
        if (performance.now() >= end) resolve();
      });
    });
    receiver.close();
    return { count };
  }
}
