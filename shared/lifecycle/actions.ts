// Actions of step 11 that leave nothing to look at, such as an event that was sent: that they have begun is remembered.
import { z } from 'zod';

export const actionEventData = {
  /** From now on it may have reached somebody, under this operation id. */
  'landfall.action.begun': z.strictObject({ name: z.string(), actionId: z.string() }),
  'landfall.action.undone': z.strictObject({ name: z.string() }),
} as const;

type ActionEvent = {
  [T in keyof typeof actionEventData]: { type: T; data: z.infer<(typeof actionEventData)[T]> };
}[keyof typeof actionEventData];

/** The operation ids of what has begun, by the actions' names: the first one stands, until it or step 11 is undone. */
export function actionsAfter(
  actions: Readonly<Record<string, string>> | undefined,
  { type, data }: ActionEvent,
): Record<string, string> | undefined {
  const others = Object.entries(actions ?? {}).filter(([name]) => name !== data.name);
  const known = actions?.[data.name];
  const own = type === 'landfall.action.undone' ? [] : [[data.name, known ?? data.actionId] as const];
  const all = [...others, ...own];
  return all.length === 0 ? undefined : Object.fromEntries(all);
}
