// The one table of settings: what the app must be told about the place where it runs. On a laptop the values point at
// the local cloud, in Azure at the real one; nothing else differs.
import { z } from 'zod';
import { Connections } from './hosts/connections.ts';
import { SshCredentials } from './ssh/credentials.ts';
import { Networks, Secrets } from './webhooks/settings.ts';

const Jwk = z.string().transform((text, context) => {
  try {
    return z.looseObject({ kty: z.string() }).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON Web Key' });
    return z.NEVER;
  }
});

/** A setting that holds JSON of a schema. */
const jsonOf = <T>(schema: z.ZodType<T>, what: string) =>
  z.string().transform((text, context) => {
    try {
      const parsed = schema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: 'custom', message: z.prettifyError(parsed.error) });
    } catch {
      context.addIssue({ code: 'custom', message: `must be JSON: ${what} by name` });
    }
    return z.NEVER;
  });

const Settings = z.object({
  LANDFALL_PUBLIC_URL: z.url().describe('base URL of this app’s HTTP API as appliances reach it, without /api'),
  LANDFALL_AUTH_ISSUER: z.url().describe('issuer of people’s tokens'),
  LANDFALL_AUTH_AUDIENCE: z.string().min(1),
  LANDFALL_AUTH_JWKS_URL: z.url(),
  LANDFALL_SIGNING_KEY: Jwk.describe('the platform’s private ES256 key as JWK; a Key Vault reference in Azure'),
  LANDFALL_PLANNING_CLIENT_ID: z.string().min(1).describe('managed identity that reads and assigns roles'),
  LANDFALL_REPLICATION_CLIENT_ID: z.string().min(1).describe('managed identity for staging and the data plane'),
  LANDFALL_CUTOVER_CLIENT_ID: z.string().min(1).describe('managed identity that creates and switches'),
  LANDFALL_ARM_ENDPOINT: z.url().default('https://management.azure.com'),
  LANDFALL_COSMOS_DATABASE: z.string().default('landfall'),
  LANDFALL_EVENTS_QUEUE: z.string().default('appliance-events'),
  LANDFALL_COMMANDS_TOPIC: z.string().default('appliance-commands'),
  LANDFALL_BUS_SEND_KEY_NAME: z.string().default('appliance-send'),
  LANDFALL_BUS_SEND_KEY: z.string().min(1).describe('key of a rule with Send on the events queue'),
  LANDFALL_BUS_LISTEN_KEY_NAME: z.string().default('appliance-listen'),
  LANDFALL_BUS_LISTEN_KEY: z.string().min(1).describe('key of a rule with Listen on the commands topic'),
  LANDFALL_EVENTGRID_ENDPOINT: z
    .url()
    .optional()
    .describe('topic for outgoing CloudEvents; none: nothing is published'),
  LANDFALL_HEARTBEAT_SECONDS: z.coerce.number().positive().default(30),
  LANDFALL_SYNCS_AT_ONCE: z.coerce
    .number()
    .int()
    .positive()
    .default(50)
    .describe('budget: running syncs per appliance'),
  LANDFALL_HOSTS: jsonOf(Connections, 'connections')
    .optional()
    .describe('JSON: how hypervisors are reached, by the names that sources use'),
  LANDFALL_SSH_CREDENTIALS: jsonOf(SshCredentials, 'credentials')
    .optional()
    .describe('JSON: how agents are put onto sources, by the names that sources use'),
  LANDFALL_WEBHOOK_NETWORKS: Networks.optional().describe('networks besides the public ones that webhooks may reach'),
  LANDFALL_WEBHOOK_SECRETS: Secrets.optional().describe('JSON: what webhooks prove themselves with, by name'),
  ServiceBus__fullyQualifiedNamespace: z.string().min(1),
  Cosmos__accountEndpoint: z.url(),
});
export type Config = z.infer<typeof Settings>;

/** Reads the settings, or throws an error that names every missing or malformed one. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const parsed = Settings.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(
    `Landfall cannot start, because settings are missing or malformed:\n${problems.join('\n')}\nlocal.settings.example.json shows them all.`,
  );
}
