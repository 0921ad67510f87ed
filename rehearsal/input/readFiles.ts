// Files as people keep them: YAML or JSON, waves and what they refer to, told apart by what stands in them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Environment, Profile } from '../../shared/model/environment.ts';
import { Source } from '../../shared/model/source.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import type { Inventory } from '../world/world.ts';
import { Misuse } from './misuse.ts';
import { wrongFields } from './wrongFields.ts';

const kinds = [
  { key: 'groups', name: 'wave', schema: WaveDefinition },
  { key: 'subscriptionId', name: 'environment', schema: Environment },
  { key: 'hostName', name: 'source', schema: Source },
  { key: 'settings', name: 'profile', schema: Profile },
] as const;

const Values = z.record(z.string(), z.union([z.string(), z.number()]));

/** Reads waves. `values` stand in for placeholders such as `${window.start}`. */
export function readWaves(files: readonly string[], values: Readonly<Record<string, string>>): WaveDefinition[] {
  return files.map((file) => {
    const [wave] = read(file, values).waves;
    if (wave === undefined) throw new Misuse(`${file} holds no wave: a wave has "groups".`);
    return wave;
  });
}

/** Reads what stands in for placeholders. */
export function readValues(file: string): Record<string, string> {
  const [content] = documentsIn(file);
  const parsed = Values.safeParse(content);
  if (!parsed.success)
    throw new Misuse(`${file} is no map from names to values:\n${wrongFields(Values, content, parsed.error)}`);
  return Object.fromEntries(Object.entries(parsed.data).map(([name, value]) => [name, String(value)]));
}

/** Reads environments, profiles and sources from files and folders; waves among them are left alone. */
export function readInventory(paths: readonly string[], values: Readonly<Record<string, string>>): Inventory {
  const files = paths.flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })) throw new Misuse(`There is no ${resolve(path)}.`);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => /\.(ya?ml|json)$/.test(name) && name !== 'package.json')
      .map((name) => join(path, name));
  });
  const found = files.map((file) => read(file, values, ['wave']));
  return {
    environments: found.flatMap(({ environments }) => environments),
    profiles: found.flatMap(({ profiles }) => profiles),
    sources: found.flatMap(({ sources }) => sources),
  };
}

function read(file: string, values: Readonly<Record<string, string>>, skipped: readonly string[] = []) {
  const found = {
    waves: [] as WaveDefinition[],
    environments: [] as Environment[],
    profiles: [] as Profile[],
    sources: [] as Source[],
  };
  for (const document of documentsIn(file)) {
    const kind = kinds.find(({ key }) => key in document);
    if (kind === undefined || skipped.includes(kind.name)) continue;
    const content = filled(file, document, values);
    const parsed = kind.schema.safeParse(content);
    if (!parsed.success)
      throw new Misuse(`${file} holds no valid ${kind.name}:\n${wrongFields(kind.schema, content, parsed.error)}`);
    (found[`${kind.name}s`] as unknown[]).push(parsed.data);
  }
  return found;
}

function documentsIn(file: string): object[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Misuse(`${resolve(file)} cannot be read.`);
  }
  try {
    const content: unknown = parse(text);
    return (Array.isArray(content) ? content : [content]).filter(
      (each): each is object => typeof each === 'object' && each !== null,
    );
  } catch (error) {
    throw new Misuse(`${file} is neither YAML nor JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function filled(file: string, value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((each) => filled(file, each, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(file, each, values)]));
  if (typeof value !== 'string') return value;
  const whole = /^\$\{([\w.-]+)\}$/.exec(value)?.[1];
  const text = value.replace(/\$\{([\w.-]+)\}/g, (_, name: string) => {
    const given = values[name];
    if (given === undefined)
      throw new Misuse(`${file} has the placeholder \${${name}}: give it a value with --set ${name}=…`);
    return given;
  });
  return whole !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}
