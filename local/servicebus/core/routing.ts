// What of a message reaches a subscription: one copy for all rules without an action that let it pass, and one for
// each rule with an action (https://learn.microsoft.com/azure/service-bus-messaging/topic-filters#actions).
import type { Facts } from '../wire/message.ts';
import { hasAction, passes, type Rule, transform } from './rules.ts';
import { FilterException } from './sql/values.ts';

export type Route = { copy: Facts } | { failure: string };

export function routesOf(rules: Iterable<Rule>, message: Facts, newId: () => string): Route[] {
  const routes: Route[] = [];
  let isPlainlyIn = false;
  for (const rule of rules) {
    if (isPlainlyIn && !hasAction(rule)) continue;
    try {
      if (!passes(rule.filter, message, newId)) continue;
      if (hasAction(rule)) routes.push({ copy: transform(rule, message, newId) });
      else {
        isPlainlyIn = true;
        routes.push({ copy: message });
      }
    } catch (error) {
      if (!(error instanceof FilterException)) throw error;
      routes.push({ failure: `Rule '${rule.name}': ${error.message}` });
    }
  }
  return routes;
}
