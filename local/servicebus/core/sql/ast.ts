// What SQL filters and actions are made of, after parsing.
import type { SystemName } from './scope.ts';
import type { SqlValue } from './values.ts';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';

export type Property = { scope: 'user'; name: string } | { scope: 'sys'; name: SystemName };

export type Value =
  | { kind: 'constant'; value: SqlValue }
  | { kind: 'property'; property: Property }
  /** `property(name)`: a user property whose name is computed. */
  | { kind: 'lookup'; name: Value }
  | { kind: 'newid' }
  | { kind: 'arithmetic'; operator: Arithmetic; left: Value; right: Value }
  | { kind: 'negate'; operand: Value };

export type Predicate =
  | { kind: 'not'; operand: Predicate }
  | { kind: 'and' | 'or'; left: Predicate; right: Predicate }
  | { kind: 'compare'; operator: Comparison; left: Value; right: Value }
  | { kind: 'isNull'; operand: Value }
  | { kind: 'in'; operand: Value; items: Value[] }
  | { kind: 'like'; operand: Value; pattern: Value; escape: Value | undefined }
  | { kind: 'exists'; operand: Value };

export type Statement = { kind: 'set'; property: Property; value: Value } | { kind: 'remove'; property: Property };

export const isPredicate = (node: Value | Predicate): node is Predicate =>
  ['not', 'and', 'or', 'compare', 'isNull', 'in', 'like', 'exists'].includes(node.kind);
