// What is to exist from the start, as a file.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { CosmosDatabaseDeclaration } from './server.ts';

const JsonObject = z.record(z.string(), z.json());

const Databases: z.ZodType<CosmosDatabaseDeclaration[]> = z.array(
  z.object({
    name: z.string(),
    containers: z.array(
      z.strictObject({
        name: z.string(),
        partitionKey: z.object({
          paths: z.array(z.string()).min(1),
          kind: z.string().default('Hash'),
          version: z.number().default(2),
        }),
        defaultTtl: z.number().exactOptional(),
        indexingPolicy: JsonObject.exactOptional(),
        uniqueKeyPolicy: JsonObject.exactOptional(),
        changeFeedPolicy: JsonObject.exactOptional(),
        throughput: z.number().exactOptional(),
      }),
    ),
  }),
);

/** Reads a file of databases and their containers. Throws an error that names every faulty field. */
export function readDeclarations(path: string): CosmosDatabaseDeclaration[] {
  const parsed = Databases.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} does not describe databases:\n${z.prettifyError(parsed.error)}`);
}
