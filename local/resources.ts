// The resources file: what exists in this Azure, as data. Strings may hold {placeholders}: an endpoint ({cosmos.endpoint}),
// a secret that is made once and kept ({secret:name}), a private ES256 key as JWK ({es256:name}).
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { CosmosDatabaseDeclaration } from './cosmos/server.ts';
import { NamespaceShape } from './servicebus/namespace.ts';

const Program = z.object({ command: z.array(z.string()), env: z.record(z.string(), z.string()).optional() });

const Arm = z.object({
  subscriptions: z.array(
    z.object({
      subscriptionId: z.guid(),
      location: z.string(),
      quota: z.record(z.string(), z.number()),
      restricted: z.array(z.string()).optional().describe('machine sizes that the subscription may not use'),
    }),
  ),
  resources: z
    .array(z.object({ id: z.string(), apiVersion: z.string().optional(), body: z.record(z.string(), z.json()) }))
    .default([]),
  roleAssignments: z
    .array(
      z.object({
        scope: z.string(),
        principalId: z.guid(),
        roleDefinitionId: z.string().optional(),
        roleName: z.string().optional(),
        condition: z.string().optional(),
      }),
    )
    .default([]),
  images: z.record(z.string(), Program).default({}),
  hypervisor: Program.optional().describe('runs machines from their OS disks: {disk} stands for the disk’s file'),
});

const Database: z.ZodType<CosmosDatabaseDeclaration> = z.object({
  name: z.string(),
  containers: z.array(
    z.object({
      name: z.string(),
      partitionKey: z.object({
        paths: z.array(z.string()).min(1),
        kind: z.string().default('Hash'),
        version: z.number().default(2),
      }),
      defaultTtl: z.number().default(-1),
    }),
  ),
});

export const Resources = z.object({
  identity: z.object({
    tenantId: z.guid(),
    users: z.array(
      z.object({
        name: z.string(),
        oid: z.guid(),
        roles: z.array(z.string()),
        groups: z.array(z.string()).optional(),
      }),
    ),
    managedIdentities: z.array(z.object({ name: z.string(), clientId: z.guid(), principalId: z.guid() })),
  }),
  serviceBus: NamespaceShape,
  cosmos: z.object({ databases: z.array(Database) }),
  storage: z.object({ accounts: z.array(z.object({ name: z.string(), key: z.string() })) }),
  arm: Arm,
  eventGrid: z.object({
    topics: z.array(
      z.object({
        name: z.string(),
        key: z.string(),
        subscriptions: z.array(z.object({ name: z.string(), endpoint: z.url() })).default([]),
      }),
    ),
  }),
  settings: z.record(z.string(), z.string()),
});
export type Resources = z.infer<typeof Resources>;

/** Reads a resources file. Throws an error that names every faulty field. */
export function readResources(path: string): Resources {
  const parsed = Resources.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} does not describe an Azure:\n${z.prettifyError(parsed.error)}`);
}

/** Replaces {placeholders} in every string of a value; an unknown one is an error that names it. */
export function fill<T>(value: T, lookUp: (name: string) => string | undefined): T {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'string'
      ? member.replaceAll(/\{([a-zA-Z0-9]+[:.][a-zA-Z0-9.-]+)\}/g, (_match, name: string) => {
          const found = lookUp(name);
          if (found === undefined) throw new Error(`the resources file names {${name}}, which does not exist`);
          return found;
        })
      : member,
  );
  return JSON.parse(text) as T;
}
