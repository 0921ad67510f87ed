// One line of JSON per fact on stdout. Secrets never get out: signatures and tokens are cut from every text.
import { withoutSecrets } from '../shared/model/secretShapes.ts';

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
}

export function messageOf(error: unknown): string {
  return withoutSecrets(error instanceof Error ? error.message || error.name : String(error));
}

export function createLog(write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`)): Log {
  const put = (level: string, message: string, facts: Record<string, unknown> = {}): void =>
    write(withoutSecrets(JSON.stringify({ time: new Date().toISOString(), level, message, ...facts })));
  return {
    info: (message, facts) => put('info', message, facts),
    warn: (message, facts) => put('warn', message, facts),
  };
}
