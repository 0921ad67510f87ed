// One part of the local Azure on its own: node local/standalone.ts <part> [options]. Prints one JSON line when it
// answers; SIGTERM or SIGINT stops it cleanly. `<part> --help` tells the options.

import { stopOnSignal } from './onSignal.ts';

interface Running {
  /** Told when everything answers. */
  ready: Record<string, unknown>;
  stop(): Promise<void>;
}

interface Part {
  usage: string;
  /** Throws an error for people where the arguments make no sense or the part can't start. */
  start(args: string[], log: (line: string) => void): Promise<Running>;
}

// A part is loaded only when it is asked for.
const parts: Readonly<Record<string, () => Promise<Part>>> = {
  cosmos: () => import('./cosmos/standalone.ts'),
  servicebus: () => import('./servicebus/standalone.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = parts[name];
if (!load) {
  const isAsked = name === '--help' || name === 'help';
  const known = `landfall local <part> [options]; the parts are: ${Object.keys(parts).join(', ')}\n`;
  (isAsked ? process.stdout : process.stderr).write(
    isAsked || name === '' ? known : `There is no part "${name}". ${known}`,
  );
  process.exitCode = isAsked ? 0 : 2;
} else {
  const { usage, start } = await load();
  if (args.includes('--help')) process.stdout.write(usage);
  else await run(start);
}

async function run(start: Part['start']): Promise<void> {
  try {
    const running = await start(args, (line) => process.stderr.write(`${line}\n`));
    stopOnSignal(() => running.stop());
    process.stdout.write(`${JSON.stringify({ pid: process.pid, ...running.ready })}\n`);
  } catch (error) {
    process.stderr.write(`landfall local ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
