// What every trigger that listens on its own gives the host.

export interface Trigger {
  /** Starts listening; rejects only when the binding itself is wrong, never because a service is away. */
  start(): Promise<void> | void;
  /** Takes nothing new and resolves when what was taken has been settled or given back. */
  stop(): Promise<void>;
}
