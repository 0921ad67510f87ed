// What planners put before a wave: environments, profiles, sources.
import type { z } from 'zod';
import { Environment, Profile } from '../../shared/model/environment.ts';
import { Source } from '../../shared/model/source.ts';
import type { Role } from '../../shared/policy/people.ts';
import type { Store } from '../../shared/store/contract.ts';
import { readNamed } from './body.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';

interface Shelf<T> {
  get(id: string): Promise<T | undefined>;
  list(): Promise<T[]>;
  put(value: T): Promise<void>;
}

/** `GET /things`, `GET /things/{id}`, `PUT /things/{id}`; the id in the body may be left out and never differs from the path's. */
function shelf<T extends { id: string }>(
  thing: string,
  schema: z.ZodType<T>,
  writers: readonly Role[],
  of: (store: Store) => Shelf<T>,
): Route[] {
  const plural = `${thing}s`;
  return [
    {
      name: `${plural}List`,
      method: 'GET',
      path: plural,
      allowed: readers,
      handle: async ({ capabilities }) => json({ [plural]: await of(capabilities.store).list() }),
    },
    {
      name: `${plural}Get`,
      method: 'GET',
      path: `${plural}/{id}`,
      allowed: readers,
      async handle({ capabilities, param }) {
        const found = await of(capabilities.store).get(param('id'));
        if (found === undefined) throw refuse('notFound', `There is no ${thing} "${param('id')}".`);
        return json(found);
      },
    },
    {
      name: `${plural}Put`,
      method: 'PUT',
      path: `${plural}/{id}`,
      allowed: writers,
      async handle({ capabilities, request, param }) {
        const value = await readNamed(request, schema, param('id'));
        await of(capabilities.store).put(value);
        return json(value);
      },
    },
  ];
}

export const inventoryRoutes: Route[] = [
  ...shelf('environment', Environment, ['administrator'], ({ environments }) => environments),
  ...shelf('profile', Profile, ['planner', 'administrator'], ({ profiles }) => profiles),
  ...shelf('source', Source, ['planner', 'administrator'], ({ sources }) => sources),
];
