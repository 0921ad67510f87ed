// An anchor ties the journals of all workloads to the wave's own: it holds where each of them ended at that moment, so
// that a journal that later ends earlier, or differently, is noticed.
import { z } from 'zod';
import { hashOf } from '../hash.ts';
import { rootOfRoots } from '../protocol/merkle.ts';

export const anchorType = 'landfall.journal.anchored';

const AnchoredHead = z.strictObject({ workloadId: z.string(), version: z.int(), hash: z.string() });
export type AnchoredHead = z.infer<typeof AnchoredHead>;

/** The data of an anchor entry. Many workloads make several pages, each with a root over its own heads. */
export const Anchor = z.strictObject({
  reason: z.string(),
  page: z.int(),
  pages: z.int(),
  /** Merkle root over the hashes of the heads, in their order. */
  root: z.string(),
  heads: z.array(AnchoredHead),
});
export type Anchor = z.infer<typeof Anchor>;

const headsPerPage = 250;

/** The root over heads; the order counts. */
export function headsRoot(heads: readonly AnchoredHead[]): string {
  return rootOfRoots(heads.map((head) => hashOf(head)));
}

/** The pages of an anchor over these heads. */
export function anchorPages(heads: readonly AnchoredHead[], reason: string): Anchor[] {
  const pages = Math.max(1, Math.ceil(heads.length / headsPerPage));
  return Array.from({ length: pages }, (_, index) => {
    const part = heads.slice(index * headsPerPage, (index + 1) * headsPerPage);
    return { reason, page: index + 1, pages, root: headsRoot(part), heads: part };
  });
}
