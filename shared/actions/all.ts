// Every action of step 11. A new one is a file beside this one, and a line in the table.
import { z } from 'zod';
import type { Action } from './action.ts';
import { dns } from './dns.ts';
import { loadBalancer } from './loadBalancer.ts';
import { monitoring } from './monitoring.ts';
import { networkSecurityGroup } from './networkSecurityGroup.ts';
import { script } from './script.ts';
import { tags } from './tags.ts';
import { webhook } from './webhook.ts';

const table = [networkSecurityGroup, loadBalancer, tags, monitoring, webhook, script, dns] as const;

type SchemasOf<T extends readonly unknown[]> = {
  -readonly [I in keyof T]: T[I] extends { readonly schema: infer S extends z.core.$ZodTypeDiscriminable } ? S : never;
};

/** An action as it is written in settings. `{target.ip}` stands for the target's private address. */
export const CutoverAction = z.discriminatedUnion(
  'kind',
  // What `map` makes of a tuple has lost its members' types.
  table.map(({ schema }) => schema) as unknown as SchemasOf<typeof table>,
);
export type CutoverAction = z.infer<typeof CutoverAction>;

/** How a written action is done. */
export function actionOf({ kind }: Pick<CutoverAction, 'kind'>): Action {
  const found = table.find(({ schema }) => schema.shape.kind.value === kind);
  if (found === undefined) throw new Error(`there is no action of kind "${kind}"`);
  return found as unknown as Action;
}

/** What the cutover identity must be allowed for these, beyond what every wave needs; each once. */
export function needsOf(actions: readonly CutoverAction[]): string[] {
  return [...new Set(actions.flatMap((action) => actionOf(action).needs(action)))].sort();
}
