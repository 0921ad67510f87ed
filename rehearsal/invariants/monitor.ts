// Looks through the eyes of every invariant at every transition, and keeps what it finds.
import type { Command } from '../../shared/protocol/commands.ts';
import type { Change } from '../world/change.ts';
import type { Written } from '../world/mirror.ts';
import { invariants } from './all.ts';
import type { Finding, Sight, Watcher } from './invariant.ts';

export class Monitor {
  readonly findings: Finding[] = [];
  /** How many transitions it has seen. */
  transitions = 0;
  readonly #sight: Sight;
  readonly #watchers: { name: string; watcher: Watcher }[];

  constructor(sight: Sight) {
    this.#sight = sight;
    this.#watchers = invariants.map(({ number, says, watch }) => ({
      name: `${number}. ${says}`,
      watcher: watch(sight),
    }));
  }

  changed(change: Change, operationId: string | undefined): void {
    this.#look((watcher) => watcher.changed?.(change, operationId));
  }

  written(document: Written): void {
    this.#look((watcher) => watcher.written?.(document));
  }

  sent(command: Command): void {
    this.#look((watcher) => watcher.sent?.(command));
  }

  /** Takes down what breaks no invariant of its own, such as what the modelled Azure would refuse. */
  found(invariant: string, what: string): void {
    this.findings.push({ invariant, what, at: this.#sight.now(), transition: this.transitions });
  }

  #look(through: (watcher: Watcher) => string[] | undefined): void {
    this.transitions++;
    for (const { name, watcher } of this.#watchers) for (const what of through(watcher) ?? []) this.found(name, what);
  }
}
