// Access keys, in the scopes of the real host (https://learn.microsoft.com/azure/azure-functions/function-keys-how-to):
// a function's own, the host's (open every function), system keys (each opens one extension's webhook) and the master
// key, which opens everything and alone opens `admin`. Function and host keys are kept as salted hashes only, so nobody
// can read them again; of a system key only its generation is kept, and its value derived (keyFile.ts).
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { HostState } from '../state.ts';
import { type KeyFile, newKey } from './keyFile.ts';
import { Refusal } from './refusals.ts';

export type AuthLevel = 'anonymous' | 'function' | 'admin';
/** The system keys that exist: one for each extension with a webhook. */
export const systemKeys = { durable: 'durabletask_extension', eventGrid: 'eventgrid_extension' } as const;
export type Extension = keyof typeof systemKeys;

const Hashed = z.object({ salt: z.string(), hash: z.string() });
const Scope = z.record(z.string(), Hashed);
const Generations = z.record(z.string(), z.int());

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (expected: string, given: string): boolean => timingSafeEqual(digest(expected), digest(given));
const hash = (salt: string, key: string): string => createHmac('sha256', salt).update(key).digest('base64url');

/** The key that a request carries: header `x-functions-key` or query `code`. */
export function givenKey(request: IncomingMessage, url: URL): string | undefined {
  const header = request.headers['x-functions-key'];
  return typeof header === 'string' ? header : (url.searchParams.get('code') ?? undefined);
}

export class Keys {
  readonly #state: HostState;
  readonly #file: KeyFile;
  /** From the setting FUNCTIONS_KEY; then the file's is not used. */
  readonly #suppliedMaster: string | undefined;
  /** Every invocation with a Durable client asks for one. */
  readonly #systemKeys = new Map<Extension, string>();

  constructor(state: HostState, file: KeyFile, suppliedMaster: string | undefined) {
    this.#state = state;
    this.#file = file;
    this.#suppliedMaster = suppliedMaster || undefined;
  }

  get masterKey(): string {
    return this.#suppliedMaster ?? this.#file.master;
  }

  /** The key of an extension's webhook, in clear: it stands in the URLs that lead there. */
  systemKey(extension: Extension): string {
    const known = this.#systemKeys.get(extension);
    if (known !== undefined) return known;
    const name = systemKeys[extension];
    const key = this.#file.derive(name, this.#generations()[name] ?? 0);
    this.#systemKeys.set(extension, key);
    return key;
  }

  opensFunction(authLevel: AuthLevel, functionName: string, key: string | undefined): boolean {
    if (authLevel === 'anonymous') return true;
    if (key === undefined) return false;
    if (isSame(this.masterKey, key)) return true;
    if (authLevel === 'admin') return false;
    const known = [...Object.values(this.#scope(functionName)), ...Object.values(this.#scope(undefined))];
    return known.some((hashed) => isSame(hashed.hash, hash(hashed.salt, key)));
  }

  opensAdmin(key: string | undefined): boolean {
    return this.opensFunction('admin', '', key);
  }

  opensWebhook(extension: Extension, key: string | undefined): boolean {
    return key !== undefined && (isSame(this.systemKey(extension), key) || isSame(this.masterKey, key));
  }

  /** The names of a function's keys, or of the host's (undefined). */
  names(functionName: string | undefined): string[] {
    return Object.keys(this.#scope(functionName));
  }

  /** Sets a key to the value, or to a new one. The value that it had opens nothing any more. */
  async set(
    functionName: string | undefined,
    name: string,
    given?: string,
  ): Promise<{ value: string; isNew: boolean }> {
    const value = given ?? newKey();
    const scope = this.#scope(functionName);
    const known = sameName(scope, name);
    const salt = randomBytes(16).toString('base64url');
    const changed = { ...scope, [known ?? name]: { salt, hash: hash(salt, value) } };
    await this.#state.set(scopeName(functionName), changed);
    return { value, isNew: known === undefined };
  }

  /** False when there is no such key. */
  async remove(functionName: string | undefined, name: string): Promise<boolean> {
    const scope = this.#scope(functionName);
    const known = sameName(scope, name);
    if (known === undefined) return false;
    const { [known]: _removed, ...rest } = scope;
    await this.#state.set(scopeName(functionName), rest);
    return true;
  }

  async rotateSystemKey(extension: Extension): Promise<string> {
    const generations = this.#generations();
    const name = systemKeys[extension];
    await this.#state.set('keys.system', { ...generations, [name]: (generations[name] ?? 0) + 1 });
    this.#systemKeys.delete(extension);
    return this.systemKey(extension);
  }

  replaceMaster(given?: string): string {
    if (this.#suppliedMaster !== undefined)
      throw new Refusal(409, 'The master key comes from the setting FUNCTIONS_KEY. Change it there.');
    const value = given ?? newKey();
    this.#file.replaceMaster(value);
    return value;
  }

  #scope(functionName: string | undefined): Record<string, z.infer<typeof Hashed>> {
    return Scope.parse(this.#state.get(scopeName(functionName)) ?? {});
  }

  #generations(): Record<string, number> {
    return Generations.parse(this.#state.get('keys.system') ?? {});
  }
}

const scopeName = (functionName: string | undefined): string =>
  functionName === undefined ? 'keys.host' : `keys.function.${functionName.toLowerCase()}`;

const sameName = (scope: object, name: string): string | undefined =>
  Object.keys(scope).find((known) => known.toLowerCase() === name.toLowerCase());
