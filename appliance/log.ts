// One line of JSON per fact on stdout. Secrets never get out: signatures and tokens are cut from every text.
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
}

/** Text without signatures and tokens, for logs and events alike. */
function redact(text: string): string {
  return text
    .replace(/sig=[^&\s"']+/gi, 'sig=…')
    .replace(/SharedAccessSignature\s[^\s"']+/gi, 'SharedAccessSignature …')
    .replace(/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+/g, '…');
}

export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message || error.name : String(error));
}

export function createLog(write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`)): Log {
  const put = (level: string, message: string, facts: Record<string, unknown> = {}): void =>
    write(redact(JSON.stringify({ time: new Date().toISOString(), level, message, ...facts })));
  return {
    info: (message, facts) => put('info', message, facts),
    warn: (message, facts) => put('warn', message, facts),
  };
}
