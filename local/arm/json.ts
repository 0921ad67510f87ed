import { z } from 'zod';
import { badRequest } from './http/errors.ts';

export type Json = { [name: string]: unknown };

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object at `name`, or an empty one: for reading stored bodies whose shape their schema has already checked. */
export function part(value: unknown, name: string): Json {
  const found = isJson(value) ? value[name] : undefined;
  return isJson(found) ? found : {};
}

/** The array of objects at `name`. */
export function items(value: unknown, name: string): Json[] {
  const found = isJson(value) ? value[name] : undefined;
  return Array.isArray(found) ? found.filter(isJson) : [];
}

/** The string at `name`, or nothing. */
export function text(value: unknown, name: string): string | undefined {
  const found = isJson(value) ? value[name] : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** Parses a request body and answers 400 with what is wrong with it. */
export function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw badRequest('InvalidRequestContent', `The request content was invalid: ${z.prettifyError(result.error)}`);
}
