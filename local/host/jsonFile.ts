// JSON files that people write (host.json, local.settings.json): comments and trailing commas are allowed, as the real
// host and Core Tools allow them, and a mistake is told with file, member, value and what to write instead.
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Reads a JSON file with comments; the error names the file. */
export function readJsonFile(file: string): unknown {
  try {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    return JSON.parse(outsideStrings(outsideStrings(text, '//[^\\n]*|/\\*[^]*?\\*/'), ',(?=\\s*[}\\]])'));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** Blanks what matches `pattern`, except in strings. */
const outsideStrings = (text: string, pattern: string): string =>
  text.replaceAll(new RegExp(`("(?:[^"\\\\]|\\\\.)*")|${pattern}`, 'g'), (_, quoted?: string) => quoted ?? ' ');

/** Checks `content`; throws one error that lists every wrong member. The schema's messages say what to write. */
export function checkContent<T extends z.ZodType>(file: string, schema: T, content: unknown): z.output<T> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const value = JSON.stringify(path.reduce<unknown>(member, content));
    return `${path.join('.') || 'the file'}: ${value ?? 'nothing'} ${message}`;
  });
  throw new Error(`${file} is not valid. ${problems.join('; ')}`);
}

const member = (value: unknown, name: PropertyKey): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined;
