// What `npm start --` understands.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  /** The wave file to run. */
  wave: string;
  /** Where this run keeps everything; made anew. */
  folder: string;
  keep: boolean;
  view: 'live' | 'plain' | 'json';
  withinMs: number;
}

export const usage = `Usage: npm start [-- [options] [wave.yaml]]

Starts a local Azure and a laboratory with three servers, migrates them in a wave, and compares every disk.

  wave.yaml     another wave than examples/first-wave/wave.yaml. environment.yaml, profile.yaml and sources.yaml are taken
                from its folder; one that is not there is the example's. The servers stay db-01, web-01 and jobs-01.
  --keep        leave everything running at the end, and say how to look around and how to stop it
  --plain       one line per change; the default where there is no terminal
  --json        one JSON object per line; the last one is the summary
  --data DIR    where the run keeps its state (default .landfall/first-wave). What an earlier run left there is removed.
  --within N    give up after N seconds (default 600)
  --help        this

Ends with 0 only if the wave committed and source and target disks are equal to the byte.`;

/** The options of a command line, or `help`, or what is wrong with it. */
export function readOptions(args: string[], terminal: boolean): Options | 'help' | { problem: string } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        keep: { type: 'boolean', default: false },
        plain: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        data: { type: 'string', default: '.landfall/first-wave' },
        within: { type: 'string', default: '600' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (positionals.length > 1) return { problem: `one wave file at most, not ${positionals.length}` };
    const seconds = Number(values.within);
    if (!(seconds > 0)) return { problem: `--within takes a number of seconds, not "${values.within}"` };
    return {
      wave: resolve(positionals[0] ?? `${import.meta.dirname}/wave.yaml`),
      folder: resolve(values.data),
      keep: values.keep,
      view: values.json ? 'json' : values.plain || !terminal ? 'plain' : 'live',
      withinMs: seconds * 1000,
    };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
