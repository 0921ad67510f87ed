// The host's administration API below /admin, for the master key only: keys, status, functions. As in the real host
// (https://learn.microsoft.com/rest/api/appservice/web-apps and Controllers/KeysController.cs of Azure/azure-functions-host),
// but keys are stored as hashes, so a list has names without values: a value is told once, by the call that made it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Binding, LoadError } from '../coreModule.ts';
import type { HostLog } from '../log.ts';
import { checkJson, parseJson, readBody } from './body.ts';
import { type Extension, givenKey, type Keys, systemKeys } from './keys.ts';
import { Refusal } from './refusals.ts';
import { decodeSegment } from './routes.ts';

export interface AdminView {
  functions: { name: string; bindings: Record<string, Binding> }[];
  loadErrors: readonly LoadError[];
}

interface Answer {
  status: number;
  body?: unknown;
}

const bodyLimit = 64 * 1024;
const masterName = '_master';
const NewKey = z.object({ value: z.string().min(1) });

export class AdminApi {
  readonly #keys: Keys;
  readonly #log: HostLog;
  readonly #view: () => AdminView;

  constructor(keys: Keys, log: HostLog, view: () => AdminView) {
    this.#keys = keys;
    this.#log = log;
    this.#view = view;
  }

  /** Serves everything below /admin; false when the path is elsewhere. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    const [area, ...path] = url.pathname.split('/').filter(Boolean).map(decodeSegment);
    if (area?.toLowerCase() !== 'admin') return false;
    if (!this.#keys.opensAdmin(givenKey(request, url))) throw new Refusal(401, 'The master key is needed.');
    const { status, body } = await this.#answer(request, path);
    if (body === undefined) response.writeHead(status).end();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return true;
  }

  async #answer(request: IncomingMessage, path: string[]): Promise<Answer> {
    const [area = '', first, second, third] = path;
    const { functions, loadErrors } = this.#view();
    const found = functions.find(({ name }) => name.toLowerCase() === first?.toLowerCase());
    switch (`${area.toLowerCase()}/${path.length}`) {
      case 'host/2':
      case 'host/3':
        if (first === 'status' && second === undefined)
          return only(request, 'GET', { state: 'Running', errors: loadErrors });
        if (first === 'ping' && second === undefined) return { status: 200 };
        if (first === 'systemkeys') return await this.#systemKeys(request, second);
        if (first === 'keys' || first === 'functionkeys') return await this.#plainKeys(request, undefined, second);
        break;
      case 'functions/1':
        return only(request, 'GET', [...functions.map(describe), ...loadErrors.map(describeFailed)]);
      case 'functions/2':
        if (found) return only(request, 'GET', describe(found));
        break;
      case 'functions/3':
      case 'functions/4':
        if (found && second === 'keys') return await this.#plainKeys(request, found.name, third);
        break;
    }
    throw new Refusal(404, 'There is nothing here.');
  }

  async #plainKeys(request: IncomingMessage, scope: string | undefined, name: string | undefined): Promise<Answer> {
    if (name === undefined) return only(request, 'GET', list(this.#keys.names(scope)));
    if (request.method === 'DELETE') {
      if (!(await this.#keys.remove(scope, name))) throw new Refusal(404, `There is no key "${name}".`);
      this.#log.line('information', 'host', `the key "${name}" was removed`, { scope: scope ?? 'host' });
      return { status: 204 };
    }
    const given = await newValue(request);
    if (!/^[a-z0-9][\w-]{0,126}$/i.test(name))
      throw new Refusal(400, 'A key name has letters, digits, - and _, a letter or digit first, 127 at most.');
    const { value, isNew } = await this.#keys.set(scope, name, given);
    this.#log.line('information', 'host', `the key "${name}" was changed`, { scope: scope ?? 'host' });
    return { status: isNew ? 201 : 200, body: { name, value } };
  }

  async #systemKeys(request: IncomingMessage, name: string | undefined): Promise<Answer> {
    if (name === undefined) return only(request, 'GET', list(Object.values(systemKeys)));
    const extension = (Object.keys(systemKeys) as Extension[]).find((key) => systemKeys[key] === name.toLowerCase());
    if (!extension && name.toLowerCase() !== masterName) throw new Refusal(404, `There is no system key "${name}".`);
    if (request.method === 'DELETE') throw new Refusal(400, 'A system key cannot be removed. POST makes a new one.');
    const given = await newValue(request);
    if (extension && given !== undefined)
      throw new Refusal(409, 'The host makes its system keys itself, because it builds URLs with them. Use POST.');
    const value = extension ? await this.#keys.rotateSystemKey(extension) : this.#keys.replaceMaster(given);
    this.#log.line('information', 'host', `the key "${name}" was changed`, { scope: 'system' });
    return { status: 200, body: { name, value } };
  }
}

/** POST asks for a new value (undefined), PUT brings one. */
async function newValue(request: IncomingMessage): Promise<string | undefined> {
  if (request.method === 'POST') return undefined;
  if (request.method !== 'PUT')
    throw new Refusal(405, 'A key is changed by POST or PUT.', { allow: 'POST, PUT, DELETE' });
  checkJson(request);
  const text = (await readBody(request, bodyLimit)).toString('utf8');
  const parsed = NewKey.safeParse(parseJson(text));
  if (!parsed.success) throw new Refusal(400, 'The body must be JSON: {"name": "…", "value": "…"}.');
  return parsed.data.value;
}

function only(request: IncomingMessage, method: string, body: unknown): Answer {
  if (request.method !== method) throw new Refusal(405, `Allowed: ${method}.`, { allow: method });
  return { status: 200, body };
}

const list = (names: readonly string[]) => ({ keys: names.map((name) => ({ name })) });

function describe({ name, bindings }: AdminView['functions'][number]) {
  return { name, config: { bindings: Object.entries(bindings).map(([key, binding]) => ({ ...binding, name: key })) } };
}

const describeFailed = (error: LoadError) =>
  'function' in error ? { name: error.function, error: error.reason } : { file: error.file, error: error.reason };
