// What a test wants to happen at an activity: a failure, an order, a look around.
import type { activities } from '../../orchestrators/all.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { ActivityCall } from '../../shared/durable/activity.ts';
import type { Failure } from '../../shared/errors.ts';

type Activity = (typeof activities)[number];
type Input = Record<string, unknown>;
interface Cue {
  activity: string;
  when: 'before' | 'after';
  matches: (input: Input) => boolean;
  times: number;
  does: () => Promise<{ failure: Failure } | undefined>;
}

export class Script {
  /** Every activity that was called, in order, with its input. */
  readonly calls: { name: string; input: Input; at: string; operationId: string; attempt: number }[] = [];
  readonly #cues: Cue[] = [];

  /** Lets an activity fail some times; `after`: its effect has happened and only its answer is lost. */
  fail(activity: string, failure: Failure, cue: Partial<Pick<Cue, 'matches' | 'times' | 'when'>> = {}): void {
    this.#cue(activity, { when: 'before', ...cue, does: async () => ({ failure }) });
  }

  /** Does something once right after (or before) an activity's effect; `*` is any activity. */
  once(activity: string, does: () => unknown, cue: Partial<Pick<Cue, 'matches' | 'when'>> = {}): void {
    this.#cue(activity, { when: 'after', ...cue, does: async () => void (await does()) });
  }

  /** How often an activity was called. */
  called(name: string, matches: (input: Input) => boolean = () => true): number {
    return this.calls.filter((call) => call.name === name && matches(call.input)).length;
  }

  /** Performs an activity as often as the world repeats things, and what the script says about it. */
  async perform(activity: Activity, call: unknown, capabilities: Capabilities, times: number): Promise<unknown> {
    const { name } = activity;
    const { operationId, attempt, ...sent } = call as ActivityCall;
    const input = sent.input as Input;
    this.calls.push({ name, input, at: capabilities.now(), operationId, attempt });
    const failed = await this.#play(name, 'before', input);
    if (failed !== undefined) return failed;
    let answer: unknown;
    for (let time = 0; time < times; time++) answer = await activity.handle(capabilities, call);
    return (await this.#play(name, 'after', input)) ?? answer;
  }

  #cue(activity: string, cue: Partial<Cue> & Pick<Cue, 'when' | 'does'>): void {
    this.#cues.push({ activity, matches: () => true, times: 1, ...cue });
  }

  async #play(name: string, when: Cue['when'], input: Input): Promise<{ failure: Failure } | undefined> {
    const cue = this.#cues.find(
      ({ activity, when: wanted, times, matches }) =>
        (activity === '*' || activity === name) && wanted === when && times > 0 && matches(input),
    );
    if (cue === undefined) return undefined;
    cue.times--;
    return cue.does();
  }
}
