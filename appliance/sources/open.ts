// What a disk's path in the inventory may be, and how it is opened.
import { messageOf } from '../log.ts';
import { isNbdUri } from '../nbd/uri.ts';
import { openNbd } from './nbd.ts';
import { openRaw } from './raw.ts';
import { type DiskSource, sizeChanged } from './source.ts';

/**
 * Opens a disk by what the inventory, or whoever froze a copy of it, says where it is. `changed` is the metadata context
 * of an NBD export that tells what has changed.
 */
export function openSource(path: string, changed?: string): Promise<DiskSource> {
  return isNbdUri(path) ? openNbd(path, { changed }) : openRaw(path);
}

/** Opens a disk that was planned with a size; another one is refused. */
export async function openPlanned(
  { diskId, sizeBytes }: { diskId: string; sizeBytes: number },
  path: string,
  changed?: string,
): Promise<DiskSource> {
  const source = await openSource(path, changed);
  if (source.sizeBytes === sizeBytes) return source;
  await source.close();
  throw sizeChanged(diskId, sizeBytes, source.sizeBytes);
}

/** Opens the disk and reads its first sector; the reason why not, or the size. */
export async function probeDisk(path: string): Promise<{ sizeBytes: number; problem?: string }> {
  try {
    const source = await openSource(path);
    try {
      const { sizeBytes } = source;
      await source.read(0, Buffer.alloc(Math.min(512, sizeBytes)), AbortSignal.timeout(30_000));
      return { sizeBytes };
    } finally {
      await source.close();
    }
  } catch (error) {
    return { sizeBytes: 0, problem: messageOf(error) };
  }
}
