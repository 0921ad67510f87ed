// One small HTTP client for everything that the appliance calls: whole bodies, kept-alive connections, no redirects, and
// buffers that are sent as they are (a fetch would copy each 4 MiB block).
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { letGo } from './letGo.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  headers?: Record<string, string | number>;
  body?: Uint8Array | string;
  signal?: AbortSignal | undefined;
  /** Silence on the connection after which the request fails. */
  timeoutMs?: number;
  /** The body is dropped after so many bytes. */
  maxBytes?: number;
  lookup?: LookupFunction;
  /** Takes the body of a successful answer piece by piece, each lent until it returns; it is not kept then. */
  onChunk?: (chunk: Buffer) => void;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: 16 }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: 16 }),
};

/** Sends a request and reads the whole answer; rejects when there is none. */
export function send(url: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method, headers = {}, body, signal, timeoutMs = 60_000, maxBytes = 8 << 20, lookup, onChunk } = request;
  const target = new URL(url);
  const isTls = target.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const sent = (isTls ? https : http).request(
      target,
      {
        method,
        headers: { ...headers, 'content-length': body === undefined ? 0 : Buffer.byteLength(body) },
        // A check gets a connection of its own: a kept one may be to an address that was looked up by another rule.
        agent: lookup ? false : agents[isTls ? 'https:' : 'http:'],
        timeout: timeoutMs,
        ...(signal && { signal }),
        ...(lookup && { lookup }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const done = (): void =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
        answer.on('data', (chunk: Buffer) => {
          if (onChunk && answer.statusCode !== undefined && answer.statusCode < 300) {
            onChunk(chunk);
            // Not yet: the parser may still be at work in it.
            process.nextTick(letGo, chunk);
            return;
          }
          size += chunk.length;
          if (size <= maxBytes) return void chunks.push(chunk);
          done();
          answer.destroy();
        });
        answer.on('end', done);
        answer.on('error', reject);
        answer.on('aborted', () => reject(new Error('the connection was lost in the middle of the answer')));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', reject);
    if (body instanceof Uint8Array) writeInPieces(sent, body);
    else sent.end(body);
  });
}

const pieceBytes = 256 << 10;

/** A socket that was given 4 MiB at once would hold them all encrypted a second time. */
function writeInPieces(sent: http.ClientRequest, body: Uint8Array): void {
  let at = 0;
  const next = (): void => {
    while (at < body.length) {
      const piece = body.subarray(at, at + pieceBytes);
      at += piece.length;
      if (!sent.write(piece)) {
        sent.once('drain', next);
        return;
      }
    }
    sent.end();
  };
  next();
}
