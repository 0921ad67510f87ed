// YAML files with a few placeholders, `${name}`: what only a run knows, such as a port or the moment it begins. They are
// replaced in string values after parsing, so no value can change the document's structure; comments stay.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Document, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { Api } from './api.ts';

export type Values = Readonly<Record<string, string | number>>;

/** The file's text with all placeholders replaced; a value that is one placeholder gets the replacement's type. */
export function fillYaml(path: string, values: Values): string {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const [error] = document.errors;
  if (error) throw new Error(`${path} is not YAML: ${error.message}`);
  const replacementOf = (name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(`${path} has the placeholder \${${name}}; known are ${Object.keys(values).join(', ')}`);
    return value;
  };
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      const whole = /^\$\{([^}]+)\}$/.exec(node.value)?.[1];
      node.value =
        whole === undefined
          ? node.value.replaceAll(/\$\{([^}]+)\}/g, (_match, name: string) => String(replacementOf(name)))
          : replacementOf(whole);
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** The wall clock of a zone at an instant, as a window's `start` is written: 2026-12-05T22:00:00. */
export function wallClock(instant: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return parts.format(instant).replace(' ', 'T');
}

export interface Definitions {
  environment: Definition;
  profile: Definition;
  sources: Definition[];
  wave: Definition;
}
export interface Definition {
  id: string;
  yaml: string;
}

/** A wave file with environment.yaml, profile.yaml and sources.yaml: those beside it, else those of `fallback`. */
export function readDefinitions(waveFile: string, fallback: string, values: Values): Definitions {
  const beside = (name: string): string => {
    const near = join(dirname(waveFile), name);
    return fillYaml(existsSync(near) ? near : join(fallback, name), values);
  };
  const sources = parseDocument(beside('sources.yaml')).contents;
  if (!isSeq(sources)) throw new Error('sources.yaml is no list of sources');
  return {
    environment: definition(beside('environment.yaml')),
    profile: definition(beside('profile.yaml')),
    sources: sources.items.map((source) => definition(new Document(source).toString({ lineWidth: 0 }))),
    wave: definition(fillYaml(waveFile, values)),
  };
}

function definition(yaml: string): Definition {
  const id: unknown = parseDocument(yaml).get('id');
  // What has no id, or a wrong one, is the API's to refuse, with its reason.
  return { id: typeof id === 'string' ? id : 'unnamed', yaml };
}

/** Keeps the definitions as they were sent, to be read and sent again by hand. */
export function writeDefinitions(folder: string, { environment, profile, sources, wave }: Definitions): void {
  mkdirSync(folder, { recursive: true });
  const files = { environment, profile, wave, ...Object.fromEntries(sources.map((one) => [`source-${one.id}`, one])) };
  for (const [name, { yaml }] of Object.entries(files)) writeFileSync(join(folder, `${name}.yaml`), yaml);
}

/** Puts inventory and settings, has the wave checked, and stores it. Returns its plan. */
export async function plan(api: Api, { environment, profile, sources, wave }: Definitions): Promise<WavePlan> {
  await api.putEnvironment(environment.id, environment.yaml);
  await api.putProfile(profile.id, profile.yaml);
  for (const source of sources) await api.putSource(source.id, source.yaml);
  await api.postWave(wave.yaml, { dryRun: true });
  return (await api.postWave(wave.yaml)).plan;
}
