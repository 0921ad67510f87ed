// What an action changes: statements run in order, each seeing what those before it have set.
import type { Statement } from './ast.ts';
import { evaluate } from './evaluate.ts';
import type { Scope, SystemName } from './scope.ts';
import { type SqlValue, textOf } from './values.ts';

/** Undefined removes a property. */
export interface Changes {
  system: Map<SystemName, string | undefined>;
  user: Map<string, SqlValue | undefined>;
}

export function runAction(statements: readonly Statement[], scope: Scope): Changes {
  const changes: Changes = { system: new Map(), user: new Map() };
  const changed: Scope = {
    newId: () => scope.newId(),
    system: (name) => (changes.system.has(name) ? changes.system.get(name) : scope.system(name)),
    user(name) {
      const key = changedKey(changes.user, name);
      return key === undefined ? scope.user(name) : changes.user.get(key);
    },
  };
  for (const statement of statements) {
    const { property } = statement;
    const value = statement.kind === 'set' ? (evaluate(statement.value, changed) ?? null) : undefined;
    if (property.scope === 'sys') {
      changes.system.set(property.name, (value ?? null) === null ? undefined : textOf(value as SqlValue));
    } else {
      const key = changedKey(changes.user, property.name) ?? property.name;
      changes.user.set(key, value);
    }
  }
  return changes;
}

function changedKey(changes: ReadonlyMap<string, unknown>, name: string): string | undefined {
  return [...changes.keys()].find((key) => key.toLowerCase() === name.toLowerCase());
}
