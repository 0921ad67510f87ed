import { z } from 'zod';

const Part = z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]);
const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** A rule of jCal, an object, as RFC 5545 writes it. ical.js gives the week's start as a number from 1, Sunday. */
export function ruleText(recur: unknown): string {
  return Object.entries(z.record(z.string(), Part).parse(recur))
    .map(([name, value]) => `${name}=${name === 'wkst' && typeof value === 'number' ? weekdays[value - 1] : value}`)
    .join(';')
    .toUpperCase();
}
