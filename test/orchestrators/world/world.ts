// The modelled world with the small wave of these tests in it, planned and not yet started.
import { World as ModelledWorld, rehearsedApp } from '../../../rehearsal/world/world.ts';
import type { Site } from '../../../shared/model/environment.ts';
import type { Source } from '../../../shared/model/source.ts';
import { profile } from '../../fakes/definitions.ts';
import { definitionOf, environment, sources as few, startOfDay } from './definitions.ts';

export class World extends ModelledWorld {
  /** Sets up a world with one planned wave. `times`: how often every activity runs and every message arrives. */
  static async open(
    options: {
      change?: Parameters<typeof definitionOf>[0];
      times?: number;
      start?: string;
      replay?: 'always' | 'live';
      sources?: Source[];
      sites?: Site[];
    } = {},
  ): Promise<World> {
    const { times = 1, start = startOfDay, replay = 'always', sources = few, sites = environment.sites } = options;
    const world = new World(await rehearsedApp(), { sources, start, times, replay });
    await world.stock({ environments: [{ ...environment, sites }], profiles: [profile], sources });
    await world.people.post(definitionOf(options.change));
    for (const record of ['db-01', 'web-01'])
      world.azure.records.set(`A ${record}`, { ttlSeconds: 300, values: ['10.9.9.9'] });
    return world;
  }
}
