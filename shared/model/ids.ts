// Names as people and Azure write them. Everything that becomes part of an instance id, an entity name or a resource
// name is restricted here, once.
import { z } from 'zod';

/** A name in lower-case kebab: part of URLs, orchestration instance ids, bus entities and resource names. */
export const Id = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/,
    'use 1-42 lower-case letters, digits and inner hyphens, such as "db-01"',
  );

/** An Azure resource id. */
export const ArmId = z
  .string()
  .max(1024)
  .regex(
    /^\/subscriptions\/[0-9a-f-]{36}(\/[^\s?#]+)*$/i,
    'use a full Azure resource id: /subscriptions/{id}/resourceGroups/…',
  );

/** An ISO 8601 duration without years and months, such as PT45M or P1DT2H. */
export const Duration = z
  .string()
  .regex(/^P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/, 'use an ISO 8601 duration such as PT45M');
export type Duration = z.infer<typeof Duration>;

/** An instant in UTC, as `Date.prototype.toISOString` prints it. */
export const Instant = z.iso.datetime();

const metadataHosts = [
  '169.254.169.254',
  '168.63.129.16',
  '100.100.100.200',
  'fd00:ec2::254',
  'metadata.google.internal',
  'metadata',
];

/** Whether a host name or address may be an instance-metadata endpoint or lies in the link-local range. */
export function isMetadataHost(host: string): boolean {
  const bare = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  return (
    metadataHosts.includes(bare) ||
    /^169\.254\./.test(bare) ||
    /^fe[89ab][0-9a-f]:/.test(bare) ||
    /^::ffff:(169\.254\.|a9fe:)/.test(bare)
  );
}

/** A host that a check or a host connection may reach: never link-local, never an instance-metadata address. */
export const ReachableHost = z
  .string()
  .min(1)
  .max(253)
  .refine(
    (host) => !isMetadataHost(host),
    'this address serves instance metadata and is never contacted; name the real host',
  );

/** An http(s) URL that Landfall may call on a definition's behalf. The URL parser normalises octal and decimal hosts. */
export const ReachableUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine(
    (url) => !isMetadataHost(new URL(url).hostname),
    'this address serves instance metadata and is never contacted',
  );
