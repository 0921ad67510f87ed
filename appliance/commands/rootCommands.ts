// Commands that need root, where the agent is not root: it asks through a Unix socket, and a process of root's runs what a
// file of root's names word for word. One connection, one command; a client that hangs up ends it.
import { readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { type Ran, spawnCommand } from './spawnCommand.ts';

const longest = 64 << 10;

/** What may travel beside the words of a command: the names of syncs. */
const Told = z.partialRecord(z.enum(['LANDFALL_SYNC', 'LANDFALL_SINCE']), z.string().regex(/^[\w.:-]{0,120}$/));

const Asked = z.strictObject({
  argv: z.array(z.string()).min(1),
  timeoutMs: z.int().positive().max(3_600_000),
  environment: Told,
});

const Answered = z.strictObject({
  exit: z.union([z.int(), z.enum(['timeout', 'killed', 'notStarted'])]),
  output: z.string(),
  errors: z.string(),
});

const Allowed = z.strictObject({ commands: z.array(z.array(z.string())) });

/** Has root run a command. Resolves with what it says; nothing is run where it cannot be asked, and that is said. */
export function askRoot(
  path: string,
  argv: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    let problem = 'it hung up without an answer';
    const abort = (): void => void socket.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify({ argv, timeoutMs, environment })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', (error) => {
      problem = error.message;
    });
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted) return resolve({ exit: 'killed', output: '', errors: '' });
      const answer = Answered.safeParse(parsed(text));
      if (answer.success) return resolve(answer.data);
      const errors = `root could not be asked through ${path} to run it: ${problem}`;
      resolve({ exit: 'notStarted', output: '', errors });
    });
  });
}

/** Answers one connection: runs what it asks for if the file at `allowedPath` names it. */
export async function answerCommand(socket: Socket, allowedPath: string): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  const line = await lineOf(socket);
  const ran =
    line === undefined
      ? refused('the question was too long, or had no end')
      : await runIf(line, allowedPath, gone.signal);
  if (!gone.signal.aborted) await new Promise<void>((resolve) => socket.end(JSON.stringify(ran), resolve));
}

async function runIf(line: string, allowedPath: string, signal: AbortSignal): Promise<Ran> {
  const asked = Asked.safeParse(parsed(line));
  if (!asked.success) return refused(`that is no command: ${z.prettifyError(asked.error)}`);
  const { argv, timeoutMs, environment } = asked.data;
  let allowed: string[][];
  try {
    allowed = allowedIn(allowedPath);
  } catch (error) {
    return refused(`${allowedPath} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!allowed.some((each) => JSON.stringify(each) === JSON.stringify(argv)))
    return refused(`${allowedPath} does not name it; install the agent again with the commands of the plan`);
  return spawnCommand(argv, timeoutMs, signal, environment);
}

/** Only a file that nobody else can have written says what root does. */
function allowedIn(path: string): string[][] {
  const { uid, mode } = statSync(path);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error('others could have written it');
  return Allowed.parse(JSON.parse(readFileSync(path, 'utf8'))).commands;
}

const refused = (why: string): Ran => ({ exit: 'notStarted', output: '', errors: why });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first line; undefined if there is none. */
function lineOf(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > longest) resolve(undefined);
    });
    socket.on('end', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });
}
