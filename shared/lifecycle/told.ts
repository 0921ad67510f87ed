// What is known of a machine that no host can be asked about: what people have confirmed. Once they are asked to change
// something, it is not known until they say that it is done: they may have done it and never said so.
import type { Act } from '../model/byHand.ts';
import type { PlatformEvent } from './events.ts';

export interface Told {
  power: 'on' | 'off' | 'unknown';
  network: 'connected' | 'disconnected' | 'unknown';
  /** When that became so: since people were asked, or have confirmed. */
  since: string;
}

const means: Partial<Record<Act, Partial<Pick<Told, 'power' | 'network'>>>> = {
  powerOff: { power: 'off' },
  powerOn: { power: 'on' },
  disconnect: { network: 'disconnected' },
  connect: { network: 'connected' },
};

/** What is known after one more event. Acts on appliances say nothing about the machine. */
export function toldAfter(
  before: Told | undefined,
  { type, time, data }: Extract<PlatformEvent, { type: `landfall.byHand.${string}` }>,
): Told | undefined {
  const meant = means[data.act];
  if (meant === undefined) return before;
  const known = before ?? { power: 'on', network: 'connected', since: time };
  switch (type) {
    case 'landfall.byHand.asked':
      return { ...known, ...unknown(meant), since: time };
    case 'landfall.byHand.confirmed':
      return { ...known, ...meant, since: time };
    case 'landfall.byHand.seen':
      // Whatever lives on it is on and connected: nothing of what was said is sure any more.
      return data.seen.every(({ fits }) => fits) ? known : { power: 'unknown', network: 'unknown', since: time };
  }
}

/** Whoever has undone a step by hand may have switched anything, and has not said what: nothing is known any more. */
export function doubted(before: Told | undefined, time: string): Told | undefined {
  return before && { power: 'unknown', network: 'unknown', since: time };
}

function unknown(meant: object): Partial<Told> {
  return Object.fromEntries(Object.keys(meant).map((key) => [key, 'unknown']));
}
