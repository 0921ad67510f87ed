// Modelled associations of machines with data collection rules. They stay when their machine goes: who has made one takes
// it away again.
import type { Azure } from '../../shared/azure/contract.ts';
import { terminal } from '../../shared/errors.ts';
import type { Changed } from './change.ts';

export class ModelledMonitoring {
  /** Machine and rule, of each association. */
  readonly associations = new Set<string>();
  /** Rules that are not there. */
  readonly missing = new Set<string>();
  readonly #changed: Changed;
  readonly #exists: (machine: string) => boolean;

  constructor(changed: Changed, exists: (machine: string) => boolean) {
    this.#changed = changed;
    this.#exists = exists;
  }

  has(machine: string, ruleId: string): boolean {
    return this.associations.has(`${machine} under ${ruleId}`);
  }

  /** Somebody deletes an association in the portal. */
  removeByHand(machine: string, ruleId: string): void {
    if (this.associations.delete(`${machine} under ${ruleId}`)) this.#tell(machine, `no longer under ${ruleId}`);
  }

  readonly azure: Azure['monitoring'] = {
    requireRule: async (ruleId) => {
      if (this.missing.has(ruleId)) throw terminal('notFound', `There is no rule ${ruleId}.`, 'Make it, then retry.');
    },
    isAssociated: async (_environment, machine, ruleId) => this.#exists(machine) && this.has(machine, ruleId),
    associate: async (_environment, machine, ruleId) => {
      if (!this.#exists(machine)) throw terminal('notFound', `There is no ${machine}.`, 'Launch it first.');
      if (this.has(machine, ruleId)) return;
      this.associations.add(`${machine} under ${ruleId}`);
      this.#tell(machine, `under ${ruleId}`);
    },
    dissociate: async (_environment, machine, ruleId) => this.removeByHand(machine, ruleId),
  };

  #tell(machine: string, what: string): void {
    this.#changed({ what: `${machine} ${what}`, kind: 'monitoring', id: machine });
  }
}
