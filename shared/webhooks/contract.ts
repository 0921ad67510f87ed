// What actions may tell the world outside: one signed event to one receiver.

export interface Receiver {
  /** https; whom it may lead to is decided when its name has been resolved. */
  url: string;
  /** Name of a secret in the settings, which says to which host and in which header it goes. */
  secret?: string | undefined;
}

export interface WebhookEvent {
  /** The same for every delivery of one event: the receiver's key to tell repeats. */
  id: string;
  type: string;
  /** The workload. */
  subject: string;
  data: Record<string, unknown>;
}

export interface Webhooks {
  /** Throws what would keep a delivery from being tried: its address, its secret. Sends nothing. */
  check(to: Receiver): Promise<void>;
  /** Delivers an event once more; returns what the receiver answered, shortened. Throws unless it took it. */
  deliver(to: Receiver, event: WebhookEvent): Promise<{ status: number; answer: string }>;
}
