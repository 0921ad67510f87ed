// A bus without a network: drops repeated messages as Service Bus does, and what nobody has subscribed to.
import type { Bus } from '../../../shared/bus/contract.ts';
import { hashOf } from '../../../shared/hash.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { FakeBus } from '../../fakes/reach.ts';

export class WorldBus extends FakeBus implements Bus {
  readonly violations: string[] = [];
  readonly #seen = new Map<string, string>();
  readonly #deliver: (command: Command) => void;

  constructor(deliver: (command: Command) => void) {
    super();
    this.#deliver = deliver;
  }

  override async publish(command: Command, options: { attempt?: number } = {}): Promise<void> {
    const id = `${command.operationId}#${options.attempt ?? 1}`;
    const text = hashOf(command);
    const before = this.#seen.get(id);
    if (before !== undefined && before !== text) this.violations.push(`two commands have the id ${id}`);
    if (before !== undefined) return;
    this.#seen.set(id, text);
    this.sent.push({ command, attempt: options.attempt });
    if (this.subscriptions.has(command.aud)) this.#deliver(command);
  }
}
