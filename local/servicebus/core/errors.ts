// The conditions that `@azure/service-bus` 7.9.5 understands. Any other one it retries for minutes as MessagingError,
// so nothing else may leave the broker.

const statusOf = {
  'com.microsoft:message-lock-lost': 410,
  'com.microsoft:session-lock-lost': 410,
  'com.microsoft:session-cannot-be-locked': 410,
  'com.microsoft:message-not-found': 404,
  'com.microsoft:timeout': 408,
  'com.microsoft:server-busy': 503,
  'com.microsoft:entity-disabled': 403,
  'com.microsoft:entity-already-exists': 409,
  'amqp:resource-limit-exceeded': 403,
  'amqp:not-found': 404,
  'amqp:not-allowed': 400,
  'amqp:not-implemented': 501,
  'amqp:unauthorized-access': 401,
  'amqp:link:message-size-exceeded': 413,
} as const;

export type Condition = keyof typeof statusOf;

/** A refusal, with the AMQP condition and the HTTP status that say the same. */
export class BusError extends Error {
  readonly condition: Condition;
  readonly status: number;

  constructor(condition: Condition, message: string) {
    super(message);
    this.name = 'BusError';
    this.condition = condition;
    this.status = statusOf[condition];
  }
}

// The client recognises a missing entity by this very text.
export const entityNotFound = (path: string): BusError =>
  new BusError('amqp:not-found', `The messaging entity '${path}' could not be found.`);

export const messageLockLost = (): BusError =>
  new BusError(
    'com.microsoft:message-lock-lost',
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed.',
  );

export const sessionLockLost = (id: string): BusError =>
  new BusError('com.microsoft:session-lock-lost', `The lock of session '${id}' has expired or was released.`);

/** Any failure as an AMQP error. What we did not foresee is `server-busy`, which the client may retry. */
export const errorOf = (error: unknown): { condition: string; description: string } =>
  error instanceof BusError
    ? { condition: error.condition, description: error.message }
    : { condition: 'com.microsoft:server-busy', description: error instanceof Error ? error.message : String(error) };
