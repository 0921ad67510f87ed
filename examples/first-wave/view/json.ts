// One JSON object per line, each with `type` and `at`; the last one is the summary or, if it came to none, a problem.
import type { Snapshot } from '../../harness/watch.ts';
import { changesBetween } from './changes.ts';
import type { View } from './view.ts';

export function jsonView(write: (line: string) => void): View {
  const emit = (object: object) => write(JSON.stringify({ at: new Date().toISOString(), ...object }));
  let before: Snapshot | undefined;
  return {
    say: (text) => emit({ type: 'driver', text }),
    show(snapshot) {
      for (const change of changesBetween(before, snapshot)) emit(change);
      before = snapshot;
    },
    sum: (summary) => emit({ type: 'summary', ...summary }),
    complain: (text) => emit({ type: 'problem', text }),
    end() {},
  };
}
