// What the settings say about webhooks.
import { z } from 'zod';
import { listOf } from './addresses.ts';

/** Networks besides the public ones, such as `10.20.0.0/16, 10.30.7.9`. */
export const Networks = z.string().transform((text, context) => {
  const networks = text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]));
  try {
    listOf(networks);
    return networks;
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const Secret = z.strictObject({
  host: z.string().min(1).describe('the only host that it is sent to'),
  header: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'must be the name of a header'),
  value: z.string().min(1),
});

/** Secrets by name, as JSON; a Key Vault reference in Azure. A secret goes to its own host and to nobody else. */
export const Secrets = z.string().transform((text, context) => {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    // What it holds is secret: no parser's word about it is passed on.
    context.addIssue({ code: 'custom', message: 'must be JSON: { name: { host, header, value } }' });
    return z.NEVER;
  }
  const parsed = z.record(z.string(), Secret).safeParse(given);
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
  context.addIssue({ code: 'custom', message: `needs host, header and value for every name: look at ${paths}` });
  return z.NEVER;
});
export type Secrets = z.infer<typeof Secrets>;
