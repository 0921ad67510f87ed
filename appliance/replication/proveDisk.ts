// What a copied disk is believed by: the blob holds what was written, and a bitmap that was followed has told of every change.
import type { Verification } from '../../shared/model/settings.ts';
import { auditBitmap } from './audit.ts';
import type { Copy } from './copyDisk.ts';
import type { DiskProgress } from './job.ts';
import { inLanes, type Mark } from './lanes.ts';
import { verifyDisk } from './verify.ts';

export interface Proof {
  /** Of the blob: the one for which it holds. */
  version: string;
  /** The first byte of a change that the bitmap did not tell. */
  missed?: number | undefined;
}

/** Reads the blob back, from the mark on, and beside that the source: neither holds up the other. */
export async function proveDisk(copy: Copy, { by }: DiskProgress, mode: Verification, mark: Mark): Promise<Proof> {
  const proof: Proof = { version: '' };
  const checks = [
    async (own: Copy) => {
      proof.version = await verifyDisk(own, mode, mark);
    },
    async (own: Copy) => {
      if (by === 'bitmap') proof.missed = await auditBitmap(own);
      await own.source.checkSize();
    },
  ];
  await inLanes(checks, checks.length, copy.signal, (check, signal) => check({ ...copy, signal }));
  return proof;
}
