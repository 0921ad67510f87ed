// Settings as the Functions host sees them: environment variables, filled up from `Values` of local.settings.json
// (https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file), and `%SETTING%` in
// binding options.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { CorsOptions } from './http/front.ts';
import { checkContent, readJsonFile } from './jsonFile.ts';

export type Settings = Readonly<Record<string, string | undefined>>;

/** A setting by its name, where `:` and `__` mean the same and case does not count, as in .NET configuration. */
export function findSetting(settings: Settings, name: string): string | undefined {
  if (settings[name] !== undefined) return settings[name];
  const plain = (text: string) => text.replaceAll(':', '__').toLowerCase();
  const known = Object.keys(settings).find((other) => plain(other) === plain(name));
  return known === undefined ? undefined : settings[known];
}

/** Replaces every `%NAME%`; an unknown name is an error that names function and option. */
export function resolveSetting(text: string, settings: Settings, where: string): string {
  return text.replaceAll(/%([^%\s]+)%/g, (_, name: string) => {
    const value = findSetting(settings, name);
    if (value === undefined) throw new Error(`${where}: the setting "${name}" (%${name}%) does not exist.`);
    return value;
  });
}

const flag = z.boolean({ error: 'is wrong, write true or false' });
const LocalSettings = z.looseObject(
  {
    IsEncrypted: z
      .literal(false, { error: 'cannot be read, decrypt the file with "func settings decrypt" and write false' })
      .optional(),
    Values: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: 'is wrong, write text' }), {
        error: 'is wrong, write an object of names and texts',
      })
      .default({}),
    Host: z
      .looseObject({
        LocalHttpPort: z.coerce
          .number({ error: 'is wrong, write a port number' })
          .int({ error: 'is wrong, write a port number' })
          .min(0, { error: 'is wrong, write a port number' })
          .max(65_535, { error: 'is wrong, write a port number' })
          .optional(),
        CORS: z.string({ error: 'is wrong, write origins separated by commas, or *' }).optional(),
        CORSCredentials: flag.default(false),
      })
      .default({ CORSCredentials: false })
      .refine(({ CORS, CORSCredentials }) => !(CORSCredentials && CORS?.trim() === '*'), {
        path: ['CORSCredentials'],
        error: 'does not go with CORS "*", name the origins',
      }),
  },
  { error: 'is wrong, write an object' },
);

export interface LocalFile {
  values: Record<string, string>;
  port: number | undefined;
  cors: CorsOptions | undefined;
}

/** Reads local.settings.json of the app, if it has one; the error names the file and each wrong member. */
export function readLocalSettings(appDirectory: string): LocalFile | undefined {
  const file = join(appDirectory, 'local.settings.json');
  if (!existsSync(file)) return undefined;
  const { Values, Host } = checkContent(file, LocalSettings, readJsonFile(file));
  const origins = (Host.CORS ?? '').split(',').flatMap((origin) => origin.trim().replace(/\/$/, '') || []);
  return {
    values: Object.fromEntries(Object.entries(Values).map(([name, value]) => [name, String(value)])),
    port: Host.LocalHttpPort,
    cors: origins.length > 0 ? { origins, credentials: Host.CORSCredentials } : undefined,
  };
}

// What this process has from a file, and not from its environment: a later file may change it.
const fromFile = new Map<string, string>();

/**
 * Makes the settings visible in `process.env`, where apps look. What was given explicitly wins; the file only fills what
 * the environment leaves open, as with the Functions Core Tools.
 */
export function applySettings(explicit: Record<string, string>, file: Record<string, string>): Settings {
  for (const [name, value] of Object.entries(file)) {
    const known = process.env[name];
    if (known !== undefined && known !== fromFile.get(name)) continue;
    process.env[name] = value;
    fromFile.set(name, value);
  }
  return Object.assign(process.env, explicit);
}
