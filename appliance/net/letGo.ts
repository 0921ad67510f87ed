/**
 * Frees the memory of a chunk that came from a socket, at once; whoever calls is the last one who uses it. Left to V8, chunks
 * that come in at full speed make it collect the whole heap dozens of times a second, for their memory lies outside of it.
 */
export function letGo({ buffer, length }: Buffer): void {
  // Not a part of a larger buffer: others may use the rest.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
