// A bus without a network: drops repeated messages as Service Bus does, and what nobody has subscribed to.
import type { Bus } from '../../shared/bus/contract.ts';
import { hashOf } from '../../shared/hash.ts';
import type { Command } from '../../shared/protocol/commands.ts';

export class ModelledBus implements Bus {
  readonly sent: { command: Command; attempt: number | undefined }[] = [];
  readonly subscriptions = new Set<string>();
  readonly #seen = new Map<string, string>();
  readonly #deliver: (command: Command) => void;
  readonly #found: (finding: string) => void;

  constructor(deliver: (command: Command) => void, found: (finding: string) => void) {
    this.#deliver = deliver;
    this.#found = found;
  }

  async publish(command: Command, options: { attempt?: number } = {}): Promise<void> {
    const id = `${command.operationId}#${options.attempt ?? 1}`;
    const text = hashOf(command);
    const before = this.#seen.get(id);
    if (before !== undefined && before !== text) this.#found(`two commands have the id ${id}`);
    if (before !== undefined) return;
    this.#seen.set(id, text);
    this.sent.push({ command, attempt: options.attempt });
    if (this.subscriptions.has(command.aud)) this.#deliver(command);
  }

  async ensureSubscription(applianceId: string): Promise<void> {
    this.subscriptions.add(applianceId);
  }

  async removeSubscription(applianceId: string): Promise<void> {
    this.subscriptions.delete(applianceId);
  }

  accessFor(): never {
    throw new Error('modelled appliances connect to nothing');
  }

  async close(): Promise<void> {}
}
