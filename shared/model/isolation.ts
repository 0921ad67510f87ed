// How the clones of UAT are kept apart, as people write it.
import { z } from 'zod';
import { isMetadataHost, ReachableHost } from './ids.ts';

/** Somebody who may reach clones from outside their subnet: a bastion's subnet, the appliance's address. */
const Tester = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'use lower-case letters, digits and inner hyphens'),
  from: z
    .cidrv4()
    .refine((prefix) => Number(prefix.split('/')[1]) >= 20, 'name the subnet of the testers: a /20 or smaller'),
});
const testers = z
  .array(Tester)
  .max(20)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'every tester needs a name of its own');

const Port = z.int().min(1).max(65535);
/** What a clone must not reach: a domain controller, a name server, a system on the source's side. */
const MustNotReach = z.strictObject({
  name: z.string().min(1).max(80),
  host: z
    .ipv4()
    .refine((host) => !isMetadataHost(host), 'this address serves instance metadata and is never contacted'),
  port: Port,
});
/** Of `settings.uat`: whom clones are open to, and how their isolation is probed beside the rules that are judged. */
export const isolationSettings = {
  testers: testers.describe('who may reach the clones from outside their subnet; the others of their group’s as well'),
  probes: z
    .enum(['required', 'whereSupported'])
    .describe('whether a probe that cannot be run stands against the proof, or is only on record'),
  closedPorts: z.array(Port).max(20).describe('ports of the clone that must not answer the target appliance'),
  mustNotReach: z
    .array(MustNotReach)
    .max(20)
    .describe('addresses that the clone must not reach, asked by run command on it'),
  names: z
    .array(ReachableHost)
    .max(20)
    .describe('production names that must lead where they led before, beside those of the source and of its records'),
};

/** The same with nothing left open. */
export const resolvedIsolation = {
  testers: isolationSettings.testers.default([]),
  probes: isolationSettings.probes.default('whereSupported'),
  closedPorts: isolationSettings.closedPorts.default([22, 443]),
  mustNotReach: isolationSettings.mustNotReach.default([]),
  names: isolationSettings.names.default([]),
};
