// What is kept of an orchestration: what it was told in its last episode, which is its whole history, and in which order
// it did what. Code that replays it must do the same again, or instances that are under way break when it is deployed.
import { z } from 'zod';

export const History = z.strictObject({
  orchestrator: z.string(),
  /** The trigger's data as the host sends it. */
  told: z.unknown(),
  did: z.array(z.string()),
});
export type History = z.infer<typeof History>;

const Answer = z.looseObject({
  isDone: z.boolean(),
  actions: z.array(z.array(z.looseObject({ actionType: z.number() }))),
});

/** The actions of an answer in order, as far as replay depends on them: kind, and whom or what they name. */
export function didOf(answered: unknown): string[] {
  const { isDone, actions } = Answer.parse(typeof answered === 'string' ? JSON.parse(answered) : answered);
  const did = actions.flat().map(spell);
  return isDone ? [...did, 'done'] : did;
}

function spell(action: Record<string, unknown>): string {
  const { actionType, functionName, instanceId, externalEventName, fireAt, compoundActions } = action;
  const until = fireAt instanceof Date ? fireAt.toISOString() : fireAt;
  const parts = [actionType, functionName, instanceId, externalEventName, until].filter((part) => part !== undefined);
  const within = Array.isArray(compoundActions) ? [`[${compoundActions.map(spell).join(', ')}]`] : [];
  return [...parts, ...within].join(' ');
}
