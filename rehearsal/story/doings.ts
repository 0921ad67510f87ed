// What people do at the API, one after the other, each in words.
import type { Chance } from '../../local/durable/chance.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { Sent } from '../world/people.ts';
import { ada } from '../world/persons.ts';
import type { World } from '../world/world.ts';
import { halfway } from './failing.ts';

/** Why people do what they do in a story. */
export const reason = 'the story says so';

export class Doings {
  /** What they did, in words. */
  readonly deeds: string[] = [];
  /** How many requests the app's process has not survived. */
  cutOff = 0;
  readonly world: World;
  readonly chance: Chance;
  readonly #cutsOff: number;

  /** `cutsOff`: how many requests end in their middle, with the process of the app; they are sent again. */
  constructor(world: World, chance: Chance, cutsOff: number) {
    this.world = world;
    this.chance = chance;
    this.#cutsOff = cutsOff;
  }

  /** Asks for something as a person; whether it was granted. */
  async ask(
    what: string,
    route: string,
    params: Record<string, string>,
    body: object,
    person: Person = ada,
    sent: Sent = {},
  ): Promise<boolean> {
    const { people, capabilities } = this.world;
    let cut = false;
    if (this.chance.happens(this.#cutsOff)) {
      const through = halfway(capabilities, () => {
        cut = true;
        this.cutOff++;
      });
      const granted = await people.try(route, params, body, person, { ...sent, through });
      if (!cut) return this.#note(person, what, granted);
    }
    const granted = await people.try(route, params, body, person, sent);
    return this.#note(person, `${what}${cut ? ', for the second time' : ''}`, granted);
  }

  #note({ subject }: Person, what: string, granted: boolean): boolean {
    this.deeds.push(`${this.world.capabilities.now()} ${subject}: ${what}${granted ? '' : ' (refused)'}`);
    return granted;
  }

  /** Does something after about so many minutes. */
  later(minutes: number, deed: () => Promise<unknown>): void {
    const after = Math.round(minutes * 60_000 * (0.1 + 1.8 * this.chance.next()));
    this.world.motion.later(after, async () => void (await deed()));
  }

  /** One of several, by chance. */
  pick<T>(from: readonly T[]): T {
    return from[this.chance.below(from.length)] as T;
  }
}
