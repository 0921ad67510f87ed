// What a thread of `hashPool.ts` runs.
import { parentPort } from 'node:worker_threads';
import { digest } from './hashing.ts';
import { type SharedBlock, viewsOf } from './sharedBlock.ts';

parentPort?.on('message', ({ memory, at, bytes }: Pick<SharedBlock, 'memory' | 'at'> & { bytes: number }) => {
  const block = viewsOf(memory, at);
  digest(block.data.subarray(0, bytes), block.digests);
  parentPort?.postMessage('done');
});

parentPort?.postMessage('up');
