// How a run is shown: live in a terminal, in plain lines, or as JSON.
import type { Snapshot } from '../../harness/watch.ts';
import type { Summary } from '../summary.ts';

export interface View {
  /** Something that the driver did. */
  say(text: string): void;
  /** Where the wave stands now. */
  show(snapshot: Snapshot): void;
  /** How it ended. */
  sum(summary: Summary): void;
  /** What went wrong. */
  complain(text: string): void;
  /** Nothing more is shown live; may be called twice. */
  end(): void;
}
