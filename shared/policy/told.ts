// What is believed of a machine that no host can be asked about: people's word, unless its own agent says otherwise.
import type { Told } from '../lifecycle/told.ts';
import { msBetween } from './duration.ts';
import { isSilent } from './stall.ts';

export interface Believed {
  power: 'on' | 'off';
  nicConnected: boolean;
  /** What is known for sure: what is not is asked again. */
  told: Pick<Told, 'power' | 'network'>;
}

/** Its agent, where there is one: when it was last heard of, and how often it beats. */
export interface Heard {
  at: string | undefined;
  everySeconds: number;
}

/**
 * Judges what people have said (on and connected if nothing was asked of them) by what is heard of the machine's agent,
 * undefined where it has none. A machine whose agent lives is on and connected, whoever says what. Where it is not known,
 * one with a silent agent counts as off, so that nothing is asked of it, and one without as on, so that nothing is left out.
 */
export function believe(said: Told | undefined, agent: Heard | undefined, now: string): Believed {
  if (said === undefined) return { power: 'on', nicConnected: true, told: { power: 'on', network: 'connected' } };
  const { power, network, since } = said;
  if (agent !== undefined && isAlive(agent, since, now)) {
    const isKnown = power === 'on' && network === 'connected';
    return { power: 'on', nicConnected: true, told: isKnown ? { power, network } : unknown };
  }
  return {
    power: power !== 'unknown' ? power : agent === undefined ? 'on' : 'off',
    nicConnected: network !== 'disconnected',
    told: { power, network },
  };
}

const unknown = { power: 'unknown', network: 'unknown' } as const;

/** Heard after that, and lately. What was on its way then is no sign of life: one heartbeat is let pass. */
function isAlive({ at, everySeconds }: Heard, since: string, now: string): boolean {
  return isHeardAfter(at, since, everySeconds) && !isSilent(at, everySeconds, now);
}

/** Whether something that was sent after that has been heard. */
function isHeardAfter(at: string | undefined, since: string, everySeconds: number): boolean {
  return at !== undefined && msBetween(since, at) > everySeconds * 1000;
}
