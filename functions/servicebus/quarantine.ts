import { hashOf } from '../../shared/hash.ts';
import type { QuarantineDocument } from '../../shared/store/documents.ts';

/** A message as the trigger hands it over. */
export interface Received {
  body: unknown;
  messageId: string;
  sessionId?: string | undefined;
  deliveryCount: number;
}

const bodyAtMost = 16 * 1024;

/** A message for the quarantine; the same message always gets the same document. */
export function quarantined(
  received: Received,
  why: Pick<QuarantineDocument, 'source' | 'code' | 'reason'>,
  at: string,
): QuarantineDocument {
  const { messageId, sessionId, deliveryCount } = received;
  const body = textOf(received.body);
  return {
    id: `q-${hashOf([messageId, body]).slice(0, 32)}`,
    kind: 'quarantine',
    ...why,
    receivedAt: at,
    messageId,
    ...(sessionId === undefined ? {} : { sessionId }),
    deliveryCount,
    body: body.slice(0, bodyAtMost),
  };
}

/** A body as text: the host hands over what it could parse as parsed. */
export function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  return JSON.stringify(body) ?? '';
}
