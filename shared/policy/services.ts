import { terminal } from '../errors.ts';
import type { SourceService } from '../model/source.ts';
import { spellCycle, tiersOf } from './order.ts';

/** A source's services in start order: what others need comes first. Throws `invalidInput` on a cycle. */
export function orderServices(services: readonly SourceService[]): SourceService[] {
  const sorted = tiersOf(services.map(({ name, dependsOn }) => ({ id: name, dependsOn })));
  if ('cycle' in sorted)
    throw terminal(
      'invalidInput',
      `Services depend on each other in a circle: ${spellCycle(sorted.cycle)}.`,
      'Break the circle in the source’s definition.',
    );
  return sorted.tiers.flat().flatMap((name) => services.filter((service) => service.name === name));
}
