// Takes an agent from a machine over SSH, and looks over the same connection whether anything of it is left.
import { ownerOf } from './install.ts';
import { onMachine, type Reaching } from './machine.ts';
import * as scripts from './scripts.ts';

export interface Removing extends Reaching {
  /** Whose agent it is: another's stays. */
  owner: string;
}

export interface Removed {
  wasThere: boolean;
  /** Whose agent stays there, since it is not ours. */
  stays?: string;
}

/** Removes the agent, its units, its user and its state, if they are ours. Throws `agentStillThere` naming what is left. */
export async function removeAgent({ owner, ...to }: Removing): Promise<Removed> {
  return onMachine(to, async (machine) => {
    const whose = ownerOf(await machine.script(scripts.foundScript(to.layout)));
    if (whose !== undefined && whose !== owner) return { wasThere: false, stays: whose };
    await machine.script(scripts.removeScript(to.layout));
    const seen = await machine.script(scripts.leftScript(to.layout));
    const left = seen.all('left');
    if (left.length > 0 || seen.one('looked') !== 'yes')
      throw machine.problem(
        'agentStillThere',
        left.join(', ') || 'the machine could not be looked at',
        'Look on the machine what holds it, remove it there, then retry: what is gone is no failure.',
      );
    return { wasThere: whose !== undefined };
  });
}
