// Modelled scripts on machines: each succeeds once under its id, unless a story says that it fails. Nobody runs any line.
import type { ScriptOutcome } from '../../shared/azure/contract.ts';
import type { Changed } from './change.ts';

interface Ran {
  id: string;
  machine: string;
  lines: readonly string[];
  /** Whether its machine is there no more, and with it what it did there. */
  isGone: boolean;
}

export class ModelledScripts {
  /** What has succeeded, in order. */
  readonly ran: Ran[] = [];
  /** Lines at which a script ends with 1. */
  readonly failing = new Set<string>();
  readonly #changed: Changed;

  constructor(changed: Changed) {
    this.#changed = changed;
  }

  run(machine: string, { id, lines }: { id: string; lines: readonly string[] }): ScriptOutcome {
    if (this.ran.some((one) => one.id === id && !one.isGone)) return { exitCode: 0, output: '', error: '' };
    const failed = lines.find((line) => this.failing.has(line));
    if (failed !== undefined) return { exitCode: 1, output: '', error: `${failed}: failed` };
    this.ran.push({ id, machine, lines, isGone: false });
    this.#changed({ what: `${machine} ran ${id}`, kind: 'script', id: machine });
    return { exitCode: 0, output: '', error: '' };
  }

  goWith(machine: string): void {
    for (const one of this.ran) if (one.machine === machine) one.isGone = true;
  }

  /** Somebody logs on to a machine, and takes back there what these lines did. */
  takeBackByHand(machine: string, lines: readonly string[]): void {
    for (const one of this.standing(machine))
      if (one.lines.join('\n') === lines.join('\n'))
        this.ran.push({ id: `${one.id}:undo`, machine, lines: [], isGone: false });
  }

  /** What has run on a machine and was not taken back there. */
  standing(machine: string): Ran[] {
    return this.ran.filter(
      ({ id, machine: on }) =>
        on === machine && !id.endsWith(':undo') && !this.ran.some((one) => one.id === `${id}:undo`),
    );
  }
}
