// Capabilities that fail inside an activity, where real ones would: at a call, before or after its effect.
import type { Capabilities } from '../../shared/capabilities.ts';
import { type MigrationError, terminal, transient } from '../../shared/errors.ts';

/** Looks at every call that reaches something; answers the error that it fails with, and whether its effect happens first. */
type Judge = () => { error: MigrationError; afterEffect: boolean } | undefined;

function judged<T extends object>(part: T, judge: Judge): T {
  return new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value === 'object' && value !== null) return judged(value, judge);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const isWork = value.constructor.name === 'AsyncFunction';
        const verdict = isWork ? judge() : undefined;
        if (verdict !== undefined && !verdict.afterEffect) return Promise.reject(verdict.error);
        const result: unknown = Reflect.apply(value, target, args);
        if (verdict !== undefined) return Promise.resolve(result).then(() => Promise.reject(verdict.error));
        // What is no promise reaches nothing yet; it may lead to what does.
        return typeof result === 'object' && result !== null && !(result instanceof Promise)
          ? judged(result, judge)
          : result;
      };
    },
  });
}

/** The second call that the activity makes has its effect, and then everything ends: what a process that is killed leaves behind. */
export function halfway(capabilities: Capabilities, ended: () => void): Capabilities {
  let calls = 0;
  const judge: Judge = () => {
    if (++calls !== 2) return undefined;
    ended();
    const error = transient('unavailable', 'The rehearsal lets this end halfway.', 'Try again.');
    return { error, afterEffect: true };
  };
  const { store, bus, azure, hosts, webhooks } = capabilities;
  return {
    ...capabilities,
    ...{
      store: judged(store, judge),
      bus: judged(bus, judge),
      azure: judged(azure, judge),
      hosts: judged(hosts, judge),
      webhooks: judged(webhooks, judge),
    },
  };
}

/**
 * Azure, the bus or the source's host says no for good, wherever `refuses` says so when it is asked. The app's own store
 * may be away, but it does not say no.
 */
export function refusing(capabilities: Capabilities, afterEffect: boolean, refuses: () => boolean): Capabilities {
  const error = terminal('azureRejected', 'The rehearsal lets this fail.', 'Retry, or roll back.');
  const judge: Judge = () => (refuses() ? { error, afterEffect } : undefined);
  const { bus, azure, hosts, webhooks } = capabilities;
  const parts = { bus: judged(bus, judge), azure: judged(azure, judge), hosts: judged(hosts, judge) };
  return { ...capabilities, ...parts, webhooks: judged(webhooks, judge) };
}
