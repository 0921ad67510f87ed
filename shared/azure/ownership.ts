// Tags on everything that we create, and the check before we touch or delete what may be somebody else's.
import { terminal } from '../errors.ts';
import type { Ownership } from './contract.ts';

/** The four tags of invariant 3, and what it is for where that matters. */
export function ownershipTags({ owner, wave, workload, expires, purpose }: Ownership): Record<string, string> {
  return {
    'landfall:owner': owner,
    'landfall:wave': wave,
    'landfall:workload': workload,
    'landfall:expires': expires,
    ...(purpose === undefined ? {} : { 'landfall:purpose': purpose }),
  };
}

/** Of a resource's tags those that say whose it is: for what hangs below it. */
export function ownTags(tags: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(tags ?? {}).filter(([name]) => name.startsWith('landfall:')));
}

/** The same as blob metadata, whose names must be identifiers. */
export function ownershipMetadata(ownership: Ownership): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ownershipTags(ownership)).map(([name, value]) => [name.replace(':', '_'), value]),
  );
}

/** Keeps us from deleting a resource that somebody else made under the same name. */
export function requireOurs(what: string, tags: Record<string, string> | undefined): void {
  if (tags?.['landfall:owner'] !== undefined) return;
  throw terminal(
    'conflict',
    `${what} exists, but Landfall did not make it: it has no landfall:owner tag.`,
    'Rename or remove it by hand, or choose another target name, then retry.',
  );
}

/** Keeps one workload from taking over what another one made. The expiry may differ: a repeated step writes a later one. */
export function requireSameOwner(what: string, tags: Record<string, string> | undefined, ownership: Ownership): void {
  requireOurs(what, tags);
  const { 'landfall:expires': _, ...wanted } = ownershipTags(ownership);
  const other = Object.entries(wanted).find(([name, value]) => tags?.[name] !== value);
  if (!other) return;
  throw terminal(
    'conflict',
    `${what} exists and belongs to something else: ${other[0]} is "${tags?.[other[0]]}", not "${other[1]}".`,
    'Choose another target name, or wait until the other migration has cleaned up, then retry.',
  );
}
