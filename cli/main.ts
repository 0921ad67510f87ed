#!/usr/bin/env node
// The `landfall` command: what people type, handed to whoever does it, as a process of its own.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

// What a server takes in lives for one turn, mostly: with room for it V8 collects it before it is moved (bench/servicebus).
const programs: Readonly<Record<string, { file: string; flags?: string[]; says: string }>> = {
  rehearse: {
    file: '../rehearsal/main.ts',
    says: 'runs a wave in a modelled world, from seeds, and says what would break',
  },
  local: {
    file: '../local/standalone.ts',
    flags: ['--min-semi-space-size=8', '--max-semi-space-size=32'],
    says: 'starts one part of the local Azure on its own',
  },
};

const help = `landfall <command> [arguments]

${Object.entries(programs)
  .map(([name, { says }]) => `  ${name.padEnd(10)} ${says}`)
  .join('\n')}

\`landfall <command> --help\` tells the arguments.
`;

// What was compiled once is found again, which is a third of what a program takes to start.
// https://nodejs.org/api/module.html#module-compile-cache
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/compile'), ...process.env };

const [name = '--help', ...args] = process.argv.slice(2);
const program = programs[name];
if (program === undefined) {
  const isAsked = name === '--help' || name === 'help';
  (isAsked ? process.stdout : process.stderr).write(isAsked ? help : `There is no command "${name}".\n\n${help}`);
  process.exitCode = isAsked ? 0 : 2;
} else {
  const child = spawn(process.execPath, [...(program.flags ?? []), join(import.meta.dirname, program.file), ...args], {
    stdio: 'inherit',
    env,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`landfall ${name} could not be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 130);
  });
}
