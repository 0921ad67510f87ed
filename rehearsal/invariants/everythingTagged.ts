import type { Invariant } from './invariant.ts';

const wanted = ['owner', 'wave', 'workload', 'expires'].map((name) => `landfall:${name}`);

export const everythingTagged: Invariant = {
  number: 3,
  says: 'every resource that we create says who owns it, for which wave and workload, and when it expires',
  watch: ({ azure, documents, now }) => ({
    changed: ({ kind, id, what }) => {
      const tags =
        kind === 'resource' ? azure.resources.get(id)?.tags : kind === 'blob' ? azure.blobs.get(id)?.tags : {};
      if (tags === undefined || (kind !== 'resource' && kind !== 'blob')) return [];
      const missing = wanted.filter((name) => (tags[name] ?? '') === '');
      if (missing.length > 0) return [`${id} has no ${missing.join(', ')} (${what})`];
      const waves = documents.documents<{ kind: 'wave'; waveId: string }>('wave');
      if (!waves.some(({ waveId }) => waveId === tags['landfall:wave']))
        return [`${id} is tagged with the unknown wave ${tags['landfall:wave']}`];
      const expires = Date.parse(tags['landfall:expires'] ?? '');
      return what.startsWith('create') && !(expires > Date.parse(now())) ? [`${id} expires before it is made`] : [];
    },
  }),
};
