// Claims-based security: `put-token` on `$cbs`
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-authorization).
import { BusError } from '../core/errors.ts';
import type { Peer } from './peer.ts';
import { types } from './rhea.ts';
import type { Request } from './sendLink.ts';

export async function answerPutToken(peer: Peer, request: Request): Promise<void> {
  const answer = (code: number, description: string, condition?: string) =>
    peer.replyLink(request.reply_to ?? '')?.send({
      correlationId: request.message_id,
      properties: {
        'status-code': types.wrap_int(code),
        'status-description': description,
        ...(condition ? { 'error-condition': types.wrap_symbol(condition) } : {}),
      },
    });
  const { operation, name, type } = request.application_properties ?? {};
  if (operation !== 'put-token' || typeof name !== 'string' || typeof request.body !== 'string') {
    return answer(400, 'Only put-token with a name and a token is understood.', 'amqp:not-allowed');
  }
  try {
    await peer.putToken(type === 'jwt' ? 'jwt' : 'sas', request.body, name);
    answer(202, 'Accepted');
  } catch (error) {
    const refusal = error instanceof BusError ? error : new BusError('amqp:unauthorized-access', String(error));
    answer(401, refusal.message, 'amqp:unauthorized-access');
  }
}
