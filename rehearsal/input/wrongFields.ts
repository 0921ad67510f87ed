// What is wrong with a file, as the API would say it of a body.
import type { z } from 'zod';
import { namesIn, problemsOf } from '../../functions/http/problem.ts';

const longestValue = 200;

/** A line for each field: what was found in it, why that cannot be, and what would do. */
export function wrongFields(schema: z.ZodType, content: unknown, error: z.ZodError): string {
  return problemsOf(error, content, namesIn(schema))
    .map(({ path, value, message, fix }) => {
      const found = value === undefined ? '' : ` (${shorten(JSON.stringify(value))})`;
      return `  ${path || 'the whole'}${found}: ${fix === message ? fix : `${message}; ${fix}`}`;
    })
    .join('\n');
}

const shorten = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue)}…` : text);
