// Runs a program that the source's owner named: argv as given, no shell, bounded time and output.
import { spawn } from 'node:child_process';

export interface Ran {
  /** The exit code, or why there is none. */
  exit: number | 'timeout' | 'killed' | 'notStarted';
  output: string;
  errors: string;
}

const kept = 4096;

/** `environment` is added to this process's own. */
export function spawnCommand(
  argv: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const [program = '', ...parameters] = argv;
  return new Promise((resolve) => {
    let output = '';
    let errors = '';
    let timedOut = false;
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...environment },
    });
    const killGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, timeoutMs);
    signal?.addEventListener('abort', killGroup, { once: true });
    const finish = (exit: Ran['exit']): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', killGroup);
      // A service that was started may hold our pipes for ever; what matters has been said by now.
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ exit, output, errors });
      });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < kept) output = (output + text).slice(0, kept);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-kept);
    });
    child.on('error', (error) => {
      errors = error.message;
      finish('notStarted');
    });
    let ended = false;
    child.on('exit', (code) => {
      const exit = timedOut ? 'timeout' : (code ?? 'killed');
      const once = (): void => {
        if (!ended) finish(exit);
        ended = true;
      };
      child.on('close', once);
      setTimeout(once, 100);
    });
  });
}
