// Invariant 5. The same operation may be asked for again; what it has changed in the world once it does not change again.
import type { EventDocument } from '../../shared/store/documents.ts';
import type { Invariant } from './invariant.ts';

export const operationsOnce: Invariant = {
  number: 5,
  says: 'no operation id changes state twice',
  watch: () => {
    const done = new Map<string, Set<string>>();
    const once = (operation: string, what: string): string[] => {
      const before = done.get(operation) ?? new Set();
      if (before.size === 0) done.set(operation, before);
      if (before.has(what)) return [`${operation} did it twice: ${what}`];
      before.add(what);
      return [];
    };
    return {
      // A canary snapshot is there for the moment of its check, which may be made again; one that stays is found at the end.
      changed: ({ what, kind }, operationId) =>
        operationId === undefined || kind === 'snapshot' ? [] : once(operationId, what),
      written: (document) => {
        if (document.kind !== 'event') return [];
        const { waveId, workloadId, event } = document as unknown as EventDocument;
        return once(`${waveId}/${workloadId} ${event.id}`, 'written down');
      },
    };
  },
};
