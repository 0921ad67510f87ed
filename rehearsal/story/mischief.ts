// Lets the drawn failures happen to activities.
import type { Chance } from '../../local/durable/chance.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { ActivityCall } from '../../shared/durable/activity.ts';
import type { Failure } from '../../shared/errors.ts';
import type { Interference } from '../world/world.ts';
import { halfway, refusing } from './failing.ts';
import type { Moments } from './moment.ts';
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
  /** What has come of the drawn failures: how many of each kind made a difference. */
  readonly done = new Map<FailureKind, number>();
  readonly #story: Story;
  readonly #chance: Chance;
  readonly #moments: Moments;
  readonly #happens: () => void;
  readonly #failing = new Map<string, { kind: FailureKind; tries: number }>();
  readonly #steps: FailedStep[];
  /** The step that an orchestration has begun, by instance id. */
  readonly #begun = new Map<string, { step: string; workloadIds: string[] }>();
  /** Failures for good that have not found an activity yet that reaches anything. */
  #refusals = 0;

  /** `happens` hears of every activity before it runs, when it has been counted. */
  constructor(
    story: Story,
    { chance, moments }: { chance: Chance; moments: Moments },
    steps: readonly FailedStep[],
    happens: () => void,
  ) {
    this.#story = story;
    this.#chance = chance;
    this.#moments = moments;
    this.#steps = [...steps];
    this.#happens = happens;
  }

  async perform(
    name: string,
    call: ActivityCall,
    capabilities: Capabilities,
    run: (capabilities: Capabilities) => Promise<unknown>,
  ): Promise<unknown> {
    this.#moments.calls++;
    this.#happens();
    this.#follow(name, call);
    const wanted = this.#wanted(call);
    if (wanted !== undefined) return run(refusing(capabilities, false, () => this.#takes(wanted)));
    const kind = this.#kindOf(call);
    if (kind === 'terminal') this.#refusals++;
    if (kind === undefined || kind === 'terminal')
      return run(this.#refusals > 0 ? this.#refuse(capabilities) : capabilities);
    if (kind === 'halfway') return run(halfway(capabilities, () => this.#did(kind)));
    this.#did(kind);
    switch (kind) {
      case 'transient':
        return { failure: transient };
      case 'throttled':
        return { failure: throttled };
      case 'lost':
        await run(capabilities);
        return { failure: transient };
      case 'twice':
        await run(capabilities);
        return run(capabilities);
      case 'atOnce':
        return (await Promise.all([run(capabilities), run(capabilities)]))[1];
    }
  }

  #did(kind: FailureKind): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
  }

  /** Whoever reaches something next is refused, once for each failure that is due. */
  #refuse(capabilities: Capabilities): Capabilities {
    return refusing(capabilities, this.#chance.happens(0.3), () => {
      if (this.#refusals === 0) return false;
      this.#refusals--;
      this.#did('terminal');
      return true;
    });
  }

  /** Whether the step that was to fail still is: once it has, it is done. */
  #takes(wanted: FailedStep): boolean {
    const index = this.#steps.indexOf(wanted);
    if (index >= 0) this.#steps.splice(index, 1);
    return index >= 0;
  }

  #kindOf({ operationId }: ActivityCall): FailureKind | undefined {
    const drawn = this.#story.failures.find(({ at }) => this.#moments.isNow(at));
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
