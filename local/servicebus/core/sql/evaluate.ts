// Filters by three-valued logic: true, false, or undefined for unknown
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter#property-evaluation-semantics).
import type { Comparison, Predicate, Property, Value } from './ast.ts';
import { isLike } from './like.ts';
import type { Scope } from './scope.ts';
import { areEqual, calculate, compare, FilterException, kindOf, negate, type SqlValue } from './values.ts';
import { Guid } from '../../wire/values.ts';

export type Truth = boolean | undefined;

const read = (property: Property, scope: Scope): SqlValue | undefined =>
  property.scope === 'sys' ? scope.system(property.name) : scope.user(property.name);

export function evaluate(node: Value, scope: Scope): SqlValue | undefined {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'newid':
      return new Guid(scope.newId());
    case 'property':
      return read(node.property, scope);
    case 'lookup': {
      const name = known(evaluate(node.name, scope));
      if (name === undefined) return undefined;
      if (typeof name !== 'string') throw new FilterException(`property() takes a name, not a ${kindOf(name)}.`);
      return scope.user(name);
    }
    case 'negate': {
      const operand = known(evaluate(node.operand, scope));
      return operand === undefined ? undefined : negate(operand);
    }
    case 'arithmetic': {
      const left = known(evaluate(node.left, scope));
      const right = known(evaluate(node.right, scope));
      return left === undefined || right === undefined ? undefined : calculate(node.operator, left, right);
    }
  }
}

/** In operators null is as unknown as what is absent (SQL-92). */
const known = (value: SqlValue | undefined): SqlValue | undefined => value ?? undefined;

export function truthOf(node: Predicate, scope: Scope): Truth {
  switch (node.kind) {
    case 'not': {
      const operand = truthOf(node.operand, scope);
      return operand === undefined ? undefined : !operand;
    }
    case 'and': {
      const left = truthOf(node.left, scope);
      if (left === false) return false;
      const right = truthOf(node.right, scope);
      return right === false ? false : left && right;
    }
    case 'or': {
      const left = truthOf(node.left, scope);
      if (left === true) return true;
      const right = truthOf(node.right, scope);
      return right === true ? true : left === undefined ? undefined : right;
    }
    case 'compare':
      return compared(node.operator, known(evaluate(node.left, scope)), known(evaluate(node.right, scope)));
    case 'isNull':
      return (evaluate(node.operand, scope) ?? null) === null;
    case 'exists':
      return evaluate(node.operand, scope) !== undefined;
    case 'in': {
      const operand = known(evaluate(node.operand, scope));
      if (operand === undefined) return undefined;
      return node.items.some((item) => {
        const value = known(evaluate(item, scope));
        return value !== undefined && areEqual(operand, value);
      });
    }
    case 'like': {
      const parts = [node.operand, node.pattern, ...(node.escape ? [node.escape] : [])].map((part) =>
        known(evaluate(part, scope)),
      );
      if (parts.includes(undefined)) return undefined;
      const [text, pattern, mark] = parts.map((part) => {
        if (typeof part !== 'string') throw new FilterException('LIKE is for text.');
        return part;
      });
      if (mark !== undefined && [...mark].length !== 1) throw new FilterException('ESCAPE takes one character.');
      return isLike(text ?? '', pattern ?? '', mark);
    }
  }
}

function compared(operator: Comparison, left: SqlValue | undefined, right: SqlValue | undefined): Truth {
  if (left === undefined || right === undefined) return undefined;
  switch (operator) {
    case '=':
      return areEqual(left, right);
    case '<>':
      return !areEqual(left, right);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
  }
}
