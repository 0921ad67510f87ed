// What a copied disk is believed by: the blob holds what was written, and a bitmap that was followed has told of every change.
// The blob is read back while the source is looked at again.
import type { Verification } from '../../shared/model/settings.ts';
import { Problem } from '../problem.ts';
import { auditBitmap } from './audit.ts';
import type { Copy } from './copyDisk.ts';
import type { DiskProgress } from './job.ts';
import type { Mark } from './lanes.ts';
import { verifyDisk } from './verify.ts';

export interface Proof {
  /** Of the blob: the one for which it holds; absent where it does not. */
  version?: string;
  /** All has to be compared: the bitmap has not told of a change. */
  isDoubted: boolean;
  /** The blob held something else than was written. */
  damage?: Problem;
}

/** Why the blob is not read back to its end. */
class Doubted extends Error {}

/** Reads back, from the mark on. `doubt` is told at once of a change that the bitmap did not tell. */
export async function proveDisk(
  copy: Copy,
  { by }: DiskProgress,
  { mode, mark, doubt }: { mode: Verification; mark: Mark; doubt(byte: number): void },
): Promise<Proof> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([copy.signal, stopped.signal]);
  const lookAgain = async (): Promise<void> => {
    try {
      const missed = by === 'bitmap' ? await auditBitmap(copy) : undefined;
      if (missed !== undefined) {
        doubt(missed);
        throw new Doubted('all of the disk has to be compared');
      }
      if (by === 'bitmap') copy.onDone({ compared: copy.source.sizeBytes });
      await copy.source.checkSize();
    } catch (error) {
      stopped.abort(error);
      throw error;
    }
  };
  const [read, looked] = await Promise.allSettled([verifyDisk({ ...copy, signal }, mode, mark), lookAgain()]);
  copy.signal.throwIfAborted();
  // An interrupted reading back may say so in other words.
  const failures = [looked, read].flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  const isDoubted = failures.some((failure) => failure instanceof Doubted);
  const damage = failures.find(isDamage);
  // Damage is what somebody should know first; whatever else has failed fails again.
  if (damage) return { isDoubted, damage };
  if (isDoubted) return { isDoubted };
  if (read.status === 'fulfilled' && looked.status === 'fulfilled') return { isDoubted, version: read.value };
  throw failures[0];
}

const isDamage = (failure: unknown): failure is Problem =>
  failure instanceof Problem && failure.code === 'verificationFailed';
