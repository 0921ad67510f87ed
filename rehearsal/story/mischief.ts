// Lets the drawn failures happen to activities.
import type { Chance } from '../../local/durable/chance.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { ActivityCall } from '../../shared/durable/activity.ts';
import type { Failure } from '../../shared/errors.ts';
import type { Interference } from '../world/world.ts';
import { halfway, refusing } from './failing.ts';
import type { FailureKind, Story } from './story.ts';

const base = { code: 'unavailable' as const, message: 'The rehearsal lets this fail.', suggestion: 'Try again.' };
const transient: Failure = { ...base, kind: 'transient' };
const throttled: Failure = { ...base, code: 'throttled', kind: 'throttled', retryAfterSeconds: 90 };

/** A step that is made to fail once: by name, of one workload or of whoever comes first. */
export interface FailedStep {
  step: string;
  workloadId?: string | undefined;
}

export class Mischief implements Interference {
  /** How many activities there were. */
  calls = 0;
  readonly #story: Story;
  readonly #chance: Chance;
  readonly #happens: (call: number) => void;
  readonly #failing = new Map<string, { kind: FailureKind; tries: number }>();
  readonly #steps: FailedStep[];
  /** The step that an orchestration has begun, by instance id. */
  readonly #begun = new Map<string, { step: string; workloadIds: string[] }>();

  /** `happens` hears of every activity by its number, before it runs. */
  constructor(story: Story, chance: Chance, steps: readonly FailedStep[], happens: (call: number) => void) {
    this.#story = story;
    this.#chance = chance;
    this.#steps = [...steps];
    this.#happens = happens;
  }

  async perform(
    name: string,
    call: ActivityCall,
    capabilities: Capabilities,
    run: (capabilities: Capabilities) => Promise<unknown>,
  ): Promise<unknown> {
    const number = ++this.calls;
    this.#happens(number);
    this.#follow(name, call);
    const wanted = this.#wanted(call);
    if (wanted !== undefined)
      return run(refusing(capabilities, false, () => this.#steps.splice(this.#steps.indexOf(wanted), 1)));
    switch (this.#kindOf(number, call)) {
      case undefined:
        return run(capabilities);
      case 'transient':
        return { failure: transient };
      case 'throttled':
        return { failure: throttled };
      case 'lost':
        await run(capabilities);
        return { failure: transient };
      case 'halfway':
        return run(halfway(capabilities));
      case 'terminal':
        return run(refusing(capabilities, this.#chance.happens(0.3), () => {}));
    }
  }

  #kindOf(number: number, { operationId }: ActivityCall): FailureKind | undefined {
    const drawn = this.#story.failures.find(({ call }) => call === number);
    const failing = this.#failing.get(operationId) ?? drawn;
    if (failing === undefined || failing.tries === 0) return undefined;
    this.#failing.set(operationId, { kind: failing.kind, tries: failing.tries - 1 });
    return failing.kind;
  }

  /** An activity belongs to a step of its own orchestration, or of the one that has begun a step for its workload. */
  #wanted({ operationId, input }: ActivityCall): FailedStep | undefined {
    const instanceId = instanceOf(operationId);
    const { workloadId: own } = input as { workloadId?: string };
    const begun = [...this.#begun].filter(
      ([id, { workloadIds }]) => id === instanceId || (own !== undefined && workloadIds.includes(own)),
    );
    return this.#steps.find(({ step, workloadId }) =>
      begun.some(
        ([, each]) =>
          each.step === step &&
          (workloadId === undefined || (each.workloadIds.includes(workloadId) && (own ?? workloadId) === workloadId)),
      ),
    );
  }

  #follow(name: string, { operationId, input }: ActivityCall): void {
    if (name !== 'recordStep' || this.#steps.length === 0) return;
    const { what, workloadIds } = input as { what: { type: string; data: { step: string } }; workloadIds: string[] };
    const instanceId = instanceOf(operationId);
    if (what.type === 'landfall.step.started') this.#begun.set(instanceId, { step: what.data.step, workloadIds });
    else this.#begun.delete(instanceId);
  }
}

const instanceOf = (operationId: string): string => operationId.slice(0, operationId.indexOf(':'));
