// QEMU's machine protocol over a Unix socket: one JSON object a line, both ways.
// https://www.qemu.org/docs/master/interop/qmp-spec.html
import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';

/** What QEMU says to a command that it does not carry out. `class` tells kinds apart: `DeviceNotFound`, `GenericError`. */
export class QmpRefusal extends Error {
  readonly class: string;
  constructor(command: string, { class: kind, desc }: { class: string; desc: string }) {
    super(`${command}: ${desc}`);
    this.class = kind;
  }
}

/** Nobody is behind the socket: the process has ended, or never was. */
export class QmpGone extends Error {}

/** Somebody is, and does not answer as QEMU does, or not in time. */
export class QmpSilence extends Error {}

/** A greeting, an answer or an event, by which member it has. */
const Line = z.looseObject({
  QMP: z.looseObject({}).optional(),
  error: z.looseObject({ class: z.string(), desc: z.string() }).optional(),
  return: z.unknown().optional(),
});
type Line = z.infer<typeof Line>;

const gone = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);
const longestLine = 4 * 2 ** 20;

export interface Qmp {
  /** Runs one command and checks what it returns. Throws `QmpRefusal`, `QmpGone` or `QmpSilence`. */
  execute<T>(command: string, args: object, returns: z.ZodType<T>): Promise<T>;
  execute(command: string, args?: object): Promise<unknown>;
}

/** Talks to the machine behind a socket: one talk at a time, for QEMU serves its socket's clients one after the other. */
export async function withQmp<T>(path: string, talk: (qmp: Qmp) => Promise<T>, withinMs = 30_000): Promise<T> {
  const socket = createConnection(path);
  const late = setTimeout(() => socket.destroy(new QmpSilence(`no answer within ${withinMs / 1000} s`)), withinMs);
  try {
    const lines = linesOf(socket);
    const greeting = await next(lines);
    if (greeting.QMP === undefined) throw new QmpSilence('it does not greet as QEMU does');
    const qmp: Qmp = {
      async execute<T>(command: string, args: object = {}, returns?: z.ZodType<T>): Promise<T | unknown> {
        socket.write(`${JSON.stringify({ execute: command, arguments: args, id: command })}\n`);
        for (;;) {
          const line = await next(lines);
          if (line.error !== undefined) throw new QmpRefusal(command, line.error);
          if (line.return !== undefined) return returns === undefined ? line.return : returns.parse(line.return);
        }
      },
    };
    await qmp.execute('qmp_capabilities');
    return await talk(qmp);
  } catch (error) {
    const { code } = error as { code?: string };
    throw code !== undefined && gone.has(code) ? new QmpGone(`${path}: ${code}`, { cause: error }) : error;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

/** The lines that come; fails as the socket does, and with `QmpGone` when it ends. */
async function* linesOf(socket: Socket): AsyncGenerator<string, never> {
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk as string;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    if (text.length > longestLine) throw new QmpSilence(`it sends a line of more than ${longestLine} characters`);
    yield* lines;
  }
  throw new QmpGone('it has closed its socket');
}

async function next(lines: AsyncGenerator<string, never>): Promise<Line> {
  const { value } = await lines.next();
  try {
    return Line.parse(JSON.parse(value));
  } catch (error) {
    throw new QmpSilence('it does not speak as QEMU does', { cause: error });
  }
}
