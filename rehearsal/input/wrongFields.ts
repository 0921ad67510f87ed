// What is wrong with a file, as the API would say it of a body.
import type { z } from 'zod';
import { namesIn, problemsOf } from '../../functions/http/problem.ts';
import { lineOf } from '../../shared/policy/problems.ts';

/** A line for each field. */
export function wrongFields(schema: z.ZodType, content: unknown, error: z.ZodError): string {
  return problemsOf(error, content, namesIn(schema))
    .map((problem) => `  ${lineOf(problem, 'the whole')}`)
    .join('\n');
}
