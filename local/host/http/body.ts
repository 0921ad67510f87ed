// Request bodies: read up to a limit, and checked where the host itself understands them. What functions get is never
// checked: an encoded or odd body reaches them as it is, as under the real host.
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { ClientGone, Refusal } from './refusals.ts';

const tooLarge = (limit: number) => new Refusal(413, `The body is larger than ${limit} bytes.`);

/** Refuses a body whose declared length is beyond the limit. */
export function checkLength(request: IncomingMessage, limit: number): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

/** Reads a body whole. Rejects with a Refusal beyond `limit` bytes, with ClientGone when it ends too early. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  checkLength(request, limit);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroying the request would take the connection along, and the answer with it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new ClientGone(String(error));
  }
  return Buffer.concat(chunks);
}

/** Passes a body on and fails with a Refusal beyond `limit` bytes. */
export function limitBody(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit) done(tooLarge(limit));
      else done(null, chunk);
    },
  });
}

/** Refuses (415) an encoded body: the host undoes none. */
export function checkEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw new Refusal(415, `The encoding "${encoding}" is not supported.`, { 'accept-encoding': 'identity' });
}

/** Whether the body calls itself JSON. */
export function saysJson(request: IncomingMessage): boolean {
  return /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(request.headers['content-type'] ?? '');
}

/** Refuses (415) a body that says to be something else than JSON, or is encoded. */
export function checkJson(request: IncomingMessage): void {
  checkEncoding(request);
  const type = request.headers['content-type'];
  if (type !== undefined && !saysJson(request))
    throw new Refusal(415, `The media type "${type}" is not supported, send application/json.`, {
      accept: 'application/json',
    });
}

/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
