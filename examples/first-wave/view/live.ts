// The live view of a terminal: what happened scrolls by, where the wave stands is redrawn below it.
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Snapshot } from '../../harness/watch.ts';
import { summaryLines } from '../summaryLines.ts';
import { clock } from './format.ts';
import { frame } from './frame.ts';
import type { View } from './view.ts';

const redrawMs = 120;

export function liveView(stream: NodeJS.WriteStream, people: ReadonlyMap<string, string>): View {
  const screen = createLogUpdate(stream);
  const began = Date.now();
  let snapshot: Snapshot | undefined;
  let turn = 0;
  let ended = false;
  const draw = () => screen(frame(snapshot, { now: Date.now(), began, turn: turn++, people, colors: pc }).join('\n'));
  const timer = setInterval(draw, redrawMs);
  return {
    say(text) {
      const line = `  ${pc.dim(clock(Date.now() - began))}  ${text}`;
      if (ended) stream.write(`${line}\n`);
      else screen.persist(line);
    },
    show(next) {
      snapshot = next;
    },
    sum: (summary) => void stream.write(`${summaryLines(summary).join('\n')}\n`),
    complain: (text) => void stream.write(`\n${pc.red(text)}\n`),
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      if (snapshot) draw();
      else screen.clear();
      screen.done();
    },
  };
}
