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

/**
 * A body as text: the host hands over what it could parse as parsed. @azure/service-bus@7.9.5 sends a string as JSON, and
 * a host that does not parse hands over the quotes too.
 */
export function textOf(body: unknown): string {
  const text =
    typeof body === 'string' ? body : body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined;
  if (text === undefined) return JSON.stringify(body) ?? '';
  return /^"[\w.-]*"$/.test(text) ? text.slice(1, -1) : text;
}
