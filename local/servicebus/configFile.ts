// Entities from a file: Config.json of Microsoft's emulator as it is
// (https://learn.microsoft.com/azure/service-bus-messaging/test-locally-with-service-bus-emulator), or one namespace of
// it. Keys are ours; without any there is the emulator's own.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Namespace, NamespaceShape } from './namespace.ts';

const ConfigFile = z.object({
  UserConfig: z.object({ Namespaces: z.array(NamespaceShape).length(1, 'exactly one namespace is served') }),
});

/** The name and key in the emulator's documented connection string. */
const emulatorKey = {
  KeyName: 'RootManageSharedAccessKey',
  Key: 'SAS_KEY_VALUE',
  Rights: ['Manage' as const],
  Entity: undefined,
};

/** Reads and checks a file; without one the namespace is empty. Errors name the file and the field. */
export function readNamespaceFile(path: string | undefined): Namespace {
  const namespace = path === undefined ? NamespaceShape.parse({}) : parse(path);
  if (namespace.AuthorizationRules.length > 0) return namespace;
  return { ...namespace, AuthorizationRules: [emulatorKey] };
}

function parse(path: string): Namespace {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isWhole = typeof json === 'object' && json !== null && 'UserConfig' in json;
  const found = isWhole ? ConfigFile.safeParse(json) : NamespaceShape.safeParse(json);
  if (!found.success)
    throw new Error(`${path} is not the configuration of a namespace:\n${z.prettifyError(found.error)}`);
  return 'UserConfig' in found.data ? (found.data.UserConfig.Namespaces[0] as Namespace) : found.data;
}
