// One TCP connection, opened and closed again: what became of it.
import { connect, isIP, type LookupFunction } from 'node:net';
import type { Reached } from '../../shared/model/probe.ts';

const seenBy: Readonly<Record<string, Reached['seen']>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'silent',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/** Connects, and says what happened; never rejects. A name that cannot be resolved says nothing about the port. */
export function dial(
  host: string,
  port: number,
  { timeoutMs, lookup }: { timeoutMs: number; lookup: LookupFunction },
): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, lookup, timeout: timeoutMs });
    const end = (seen: Reached['seen'], detail: string): void => {
      socket.destroy();
      resolve({ seen, detail: detail.slice(0, 500) });
    };
    let resolved = isIP(host) !== 0;
    socket.on('lookup', (error) => {
      resolved = error === null;
    });
    socket.on('connect', () => end('open', 'it accepts connections'));
    socket.on('timeout', () =>
      end(resolved ? 'silent' : 'notRun', `${resolved ? 'no answer' : 'no address'} within ${timeoutMs} ms`),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Of several addresses any that answered tells more than one that did not.
      const errors = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [error];
      const seen = errors.map(({ code = '', syscall }) => (syscall === 'connect' ? seenBy[code] : undefined));
      const told = (['refused', 'silent', 'unreachable'] as const).find((each) => seen.includes(each));
      end(told ?? 'notRun', errors.map(({ message }) => message).join('; '));
    });
  });
}
