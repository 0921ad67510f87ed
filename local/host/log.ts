// One structured line per thing worth knowing; the level comes from host.json.
import { z } from 'zod';

const levels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];
export const LogLevel = z.string().transform((text, context) => {
  const level = text.toLowerCase();
  if (levels.includes(level)) return level;
  context.addIssue({ code: 'custom', message: `is wrong, write one of ${levels.join(', ')}` });
  return z.NEVER;
});

export class HostLog {
  readonly #write: ((line: string) => void) | undefined;
  readonly #least: number;

  constructor(write: ((line: string) => void) | undefined, level: string) {
    this.#write = write;
    this.#least = levels.indexOf(level);
  }

  line(level: string, source: string, message: string, more: Record<string, unknown> = {}): void {
    if (!this.#write || levels.indexOf(level) < this.#least) return;
    this.#write(JSON.stringify({ time: new Date().toISOString(), level, source, message, ...more }));
  }

  /** The one line of a failed invocation. */
  failed(functionName: string, trigger: string, error: unknown, more: Record<string, unknown> = {}): void {
    const message = error instanceof Error ? error.message : String(error);
    this.line('error', functionName, `failed: ${message}`, {
      trigger,
      ...more,
      ...(error instanceof Error && error.stack !== undefined && { stack: error.stack }),
    });
  }
}
