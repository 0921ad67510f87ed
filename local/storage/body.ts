// The bodies of page writes.
import { createHash } from 'node:crypto';
import { type Call, header } from './call.ts';
import { StorageError } from './errors.ts';
import { PageMemory } from './pageMemory.ts';

const memory = new PageMemory(4 << 20, 8);

/** Reads a body of exactly so many bytes, checks its MD5 if the request has one, and lends it to `work`. */
export function withBody<T>(call: Call, length: number, work: (body: Buffer) => Promise<T>): Promise<T> {
  return memory.use(length, async (body) => {
    await read(call, body);
    return work(body);
  });
}

async function read(call: Call, body: Buffer): Promise<void> {
  const { request } = call;
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      // `set` copies into shared memory word by word.
      if (size + chunk.length <= body.length) body.fill(chunk, size, size + chunk.length);
      size += chunk.length;
      // Not yet: the parser may still be at work in it.
      process.nextTick(letGo, chunk);
    });
    request.on('end', resolve);
    request.on('error', reject);
    request.on('close', () => reject(new Error('The client has gone in the middle of the body')));
  });
  if (size !== body.length) throw new StorageError('InvalidInput', 'The body ended early.');
  const md5 = header(call, 'content-md5');
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5)
    throw new StorageError('Md5Mismatch', 'The body does not match its MD5.');
}

/** Frees a chunk's memory: as garbage outside of V8's heap it would make V8 collect everything dozens of times a second. */
function letGo({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
