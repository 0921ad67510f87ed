// One line per change: for logs, pipes and continuous integration.
import type { Snapshot } from '../../harness/watch.ts';
import { summaryLines } from '../summaryLines.ts';
import { type Change, changesBetween } from './changes.ts';
import { bytes, clock, duration } from './format.ts';
import type { View } from './view.ts';

export function plainView(write: (line: string) => void): View {
  const began = Date.now();
  const line = (text: string) => write(`${clock(Date.now() - began).padStart(6)}  ${text}`);
  let before: Snapshot | undefined;
  return {
    say: line,
    show(snapshot) {
      for (const change of changesBetween(before, snapshot)) for (const text of textOf(change)) line(text);
      before = snapshot;
    },
    sum: (summary) => {
      for (const text of summaryLines(summary)) write(text);
    },
    complain: (text) => write(`\n${text}`),
    end() {},
  };
}

function textOf(change: Change): string[] {
  switch (change.type) {
    case 'wave':
      return [`wave: ${change.status}${change.reason ? ` (${change.reason})` : ''}`];
    case 'group':
      return [`group ${change.group}: ${change.status}${change.reason ? ` (${change.reason})` : ''}`];
    case 'phase':
      return [];
    case 'step': {
      const took = change.seconds === undefined ? '' : ` after ${duration(change.seconds * 1000)}`;
      return [`${change.whose}: step ${change.number}, ${change.step}: ${change.status}${took}`];
    }
    case 'sync':
      return [
        `${change.workload}: ${change.kind} sync ${change.status}${change.percent === undefined ? '' : ` ${change.percent} %`}`,
      ];
    case 'point': {
      const which = change.kind === 'delta' ? `delta ${change.deltas}` : `${change.kind} sync`;
      return [`${change.workload}: ${which} complete, ${bytes(change.bytes)} so far in ${change.kind} syncs`];
    }
    case 'gate':
      return [`gate ${change.gate} of ${change.group} is open: ${change.question}`];
    case 'attention':
      return [`${change.workloads.join(', ') || 'the environment'} needs attention: ${change.step}: ${change.message}`];
  }
}
