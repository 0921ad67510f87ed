// One structured line per thing worth knowing. Categories are those of the Functions host, and so is the choice of the
// level: the longest category of `logging.logLevel` that the line's category begins with
// (https://learn.microsoft.com/azure/azure-functions/configure-monitoring#configure-categories).
import { inspect } from 'node:util';
import { z } from 'zod';

const levels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];
export const LogLevel = z.string().transform((text, context) => {
  const level = text.toLowerCase();
  if (levels.includes(level)) return level;
  context.addIssue({ code: 'custom', message: `is wrong, write one of ${levels.join(', ')}` });
  return z.NEVER;
});

// What is no function's.
const hostCategories = new Map([
  ['host', 'Host.General'],
  ['http', 'Host.Http'],
  ['durable', 'Host.Triggers.DurableTask'],
  ['telemetry', 'Host.Telemetry'],
  ['library', 'Worker'],
]);

export class HostLog {
  readonly #write: ((line: string) => void) | undefined;
  #rules: [prefix: string, least: number][] = [];
  readonly #least = new Map<string, number>();
  readonly #invocations = new WeakMap<object, string>();

  /** `logLevel` is that of host.json, or one level for all. */
  constructor(write: ((line: string) => void) | undefined, logLevel: string | Record<string, string>) {
    this.#write = write;
    this.setLevels(logLevel);
  }

  setLevels(logLevel: string | Record<string, string>): void {
    const byCategory = typeof logLevel === 'string' ? { default: logLevel } : logLevel;
    this.#rules = Object.entries({ default: 'information', ...byCategory })
      .map(([name, level]): [string, number] => [
        name.toLowerCase() === 'default' ? '' : name.toLowerCase(),
        levels.indexOf(level),
      ])
      .sort(([a], [b]) => b.length - a.length);
    this.#least.clear();
  }

  /** Whether such a line would be written; cheap, so that nothing is prepared for lines that nobody reads. */
  isOn(level: string, category: string): boolean {
    if (!this.#write) return false;
    let least = this.#least.get(category);
    if (least === undefined) {
      const name = category.toLowerCase();
      least = this.#rules.find(([prefix]) => name.startsWith(prefix))?.[1] ?? 0;
      this.#least.set(category, least);
    }
    return levels.indexOf(level) >= least;
  }

  /** A line of a part of the host, or of the function whose name `source` is. */
  line(level: string, source: string, message: string, more: Record<string, unknown> = {}): void {
    this.#put(level, hostCategories.get(source) ?? `Function.${source}`, source, message, more);
  }

  /** A line that the function itself wrote. */
  user(level: string, functionName: string, message: string, more: Record<string, unknown>): void {
    this.#put(level, `Function.${functionName}.User`, functionName, message, more);
  }

  /** The one line of a failed invocation. */
  failed(functionName: string, trigger: string, error: unknown, more: Record<string, unknown> = {}): void {
    const message = error instanceof Error ? error.message : typeof error === 'string' ? error : inspect(error);
    const invocationId = typeof error === 'object' && error !== null ? this.#invocations.get(error) : undefined;
    this.line('error', functionName, `failed: ${message}`, {
      trigger,
      ...(invocationId !== undefined && { invocationId }),
      ...more,
      ...(error instanceof Error && error.stack !== undefined && { stack: error.stack }),
    });
  }

  /** Lets `failed` name the invocation that threw. */
  thrownIn(error: unknown, invocationId: string): void {
    if (typeof error === 'object' && error !== null) this.#invocations.set(error, invocationId);
  }

  #put(level: string, category: string, source: string, message: string, more: Record<string, unknown>): void {
    if (!this.#write || !this.isOn(level, category)) return;
    this.#write(JSON.stringify({ time: new Date().toISOString(), level, category, source, message, ...more }));
  }
}
