// ABAC conditions of role assignments, in the one form that limits which roles may be handed on:
// https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
// Any other condition is refused when it is written: a condition that is stored but not enforced would be a lie.
import { badRequest } from '../http/errors.ts';

/** What a condition may look at. The role definition guids are lower case. */
export interface ConditionFacts {
  readonly action: string;
  readonly requestedRole?: string | undefined;
  readonly resourceRole?: string | undefined;
}

export type Condition = (facts: ConditionFacts) => boolean;

const attribute =
  /^@(Request|Resource)\s*\[Microsoft\.Authorization\/roleAssignments:RoleDefinitionId\]\s*ForAnyOfAnyValues:GuidEquals\s*\{([^}]*)\}/i;
const actionMatches = /^ActionMatches\s*\{\s*'([^'*]+)'\s*\}/i;
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Compiles a condition, or answers 400 naming the part that is not understood. */
export function compileCondition(source: string): Condition {
  let rest = source.trim();
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const found = pattern.exec(rest);
    if (found) rest = rest.slice(found[0].length).trimStart();
    return found;
  };
  const refuse = (): never => {
    throw badRequest(
      'RoleAssignmentConditionNotSimulated',
      'Only conditions on the role definition id in a given list (ForAnyOfAnyValues:GuidEquals), combined with ' +
        `ActionMatches, AND, OR and NOT, are simulated. Not understood: '${rest.slice(0, 80)}'`,
    );
  };

  function anyOf(): Condition {
    const terms = [allOf()];
    while (take(/^(OR\b|\|\|)/i)) terms.push(allOf());
    return (facts) => terms.some((term) => term(facts));
  }
  function allOf(): Condition {
    const terms = [single()];
    while (take(/^(AND\b|&&)/i)) terms.push(single());
    return (facts) => terms.every((term) => term(facts));
  }
  function single(): Condition {
    if (take(/^(!|NOT\b)/i)) {
      const term = single();
      return (facts) => !term(facts);
    }
    if (take(/^\(/)) {
      const inner = anyOf();
      if (!take(/^\)/)) refuse();
      return inner;
    }
    const matches = take(actionMatches);
    if (matches) return (facts) => facts.action.toLowerCase() === (matches[1] ?? '').toLowerCase();
    const compares = take(attribute);
    if (!compares) return refuse();
    const allowed = (compares[2] ?? '').split(',').map((value) => value.trim().toLowerCase());
    if (!allowed.every((value) => guid.test(value))) return refuse();
    const ofRequest = compares[1]?.toLowerCase() === 'request';
    return (facts) => allowed.includes((ofRequest ? facts.requestedRole : facts.resourceRole) ?? '');
  }

  const condition = anyOf();
  if (rest) refuse();
  return condition;
}
