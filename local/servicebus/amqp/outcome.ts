// What a client's disposition asks for.
import type { Outcome } from '../core/queue.ts';
import { encodeValue, unwrapOutcome } from './rhea.ts';

/** Properties to add to a message, encoded. */
export function encodeProperties(properties: unknown): Map<string, Buffer> {
  const encoded = new Map<string, Buffer>();
  if (!properties || typeof properties !== 'object') return encoded;
  for (const [key, value] of Object.entries(properties)) encoded.set(key, encodeValue(value));
  return encoded;
}

export function deadLetterOutcome(properties: unknown, reason: unknown, description: unknown): Outcome {
  const extra = encodeProperties(properties);
  return {
    kind: 'deadLetter',
    extra,
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

/** Accepted completes, released and modified abandon (or defer), rejected dead-letters. */
export function toOutcome(state: unknown): Outcome {
  if (!state) return { kind: 'complete' };
  const outcome = unwrapOutcome(state);
  const kind = (outcome.constructor as { composite_type?: string }).composite_type;
  if (kind === 'accepted') return { kind: 'complete' };
  if (kind === 'modified') {
    const extra = encodeProperties(outcome['message_annotations']);
    return { kind: outcome['undeliverable_here'] === true ? 'defer' : 'abandon', extra };
  }
  if (kind === 'rejected') {
    const error = outcome['error'] as { description?: string; info?: Record<string, unknown> } | undefined;
    const { DeadLetterReason, DeadLetterErrorDescription, ...others } = error?.info ?? {};
    return deadLetterOutcome(others, DeadLetterReason, DeadLetterErrorDescription ?? error?.description);
  }
  return { kind: 'abandon' };
}
