import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';

const listedAtMost = 200;

export const quarantineRoutes: Route[] = [
  {
    name: 'quarantineList',
    method: 'GET',
    path: 'quarantine',
    allowed: readers,
    async handle({ capabilities: { store } }) {
      const documents = await store.quarantine.list(listedAtMost);
      return json({ quarantine: documents.map(({ body: _body, ...document }) => document) });
    },
  },
  {
    name: 'quarantineGet',
    method: 'GET',
    path: 'quarantine/{id}',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const document = await store.quarantine.get(param('id'));
      if (document === undefined) throw refuse('notFound', `Nothing in quarantine is called "${param('id')}".`);
      return json(document);
    },
  },
  {
    name: 'health',
    method: 'GET',
    path: 'health',
    allowed: 'anyone',
    // Settings are complete, or reaching the capabilities would have failed; what they reach is not asked.
    handle: async ({ capabilities: { now } }) => json({ status: 'healthy', at: now() }),
  },
];
