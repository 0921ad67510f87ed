// Requests to `$management`
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response).
import { BusError } from '../core/errors.ts';
import type { MessageQueue } from '../core/queue.ts';
import type { Address } from './address.ts';
import { operations } from './operations.ts';
import type { Peer } from './peer.ts';
import { types } from './rhea.ts';
import type { Request } from './sendLink.ts';

export async function answerManagement(
  peer: Peer,
  address: Address,
  queue: MessageQueue,
  request: Request,
): Promise<void> {
  const reply = peer.replyLink(request.reply_to ?? '');
  const send = (status: number, description: string, body?: unknown, condition?: string) =>
    reply?.send({
      correlationId: request.message_id,
      properties: {
        statusCode: types.wrap_int(status),
        statusDescription: description,
        ...(condition ? { errorCondition: types.wrap_symbol(condition) } : {}),
      },
      body,
    });
  const name = String(request.application_properties?.['operation'] ?? '').replace(/^com\.microsoft:/, '');
  try {
    peer.admit();
    const operation = operations[name];
    if (!operation) throw new BusError('amqp:not-implemented', `Operation '${name}' is not implemented here.`);
    peer.grants.require(address.text, operation.right);
    const fields = request.body && typeof request.body === 'object' ? (request.body as Record<string, unknown>) : {};
    const body = operation.run({ broker: peer.broker, entity: address.entity, queue, fields });
    await peer.committed();
    if (body === undefined) send(204, 'No content');
    else send(200, 'OK', types.wrap_map(body));
  } catch (error) {
    const refusal = error instanceof BusError ? error : new BusError('com.microsoft:server-busy', String(error));
    send(refusal.status, refusal.message, undefined, refusal.condition);
  }
}
