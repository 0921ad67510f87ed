// What an episode leaves behind in memory. The libraries ship async functions compiled down to generators: each call makes
// a generator function of its own, V8 gives each of these a hidden class in the old generation, and that keeps all that
// the call closed over until a full collection. An episode closes over its whole history and over the context that holds
// the orchestrator's tasks, so these are cut off as soon as nobody can need them.

interface Episode {
  /** `context.df` of durable-functions. */
  df?: unknown;
}

/** Empties what the library holds of an orchestrator's invocation that has ended. */
export function letGoOfEpisode(context: Episode, [trigger]: readonly unknown[]): void {
  context.df = undefined;
  if (typeof trigger === 'object' && trigger !== null && 'history' in trigger && Array.isArray(trigger.history))
    trigger.history.length = 0;
}
