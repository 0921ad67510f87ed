// The shape of a parsed query. Every expression keeps its place in the text: messages point at it, and the plan for
// cross-partition queries cuts the rewritten query out of the original by it.
import type { Json } from '../json.ts';

export interface Span {
  start: number;
  end: number;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '>>>'
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '||'
  | '??'
  | 'AND'
  | 'OR';

export type Expression = Span &
  (
    | { kind: 'literal'; value: Json | undefined }
    | { kind: 'parameter'; name: string }
    | { kind: 'name'; name: string }
    | { kind: 'member'; object: Expression; property: Expression }
    | { kind: 'unary'; operator: 'NOT' | '-' | '+' | '~'; operand: Expression }
    | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
    | { kind: 'conditional'; condition: Expression; then: Expression; otherwise: Expression }
    | { kind: 'in'; needle: Expression; haystack: Expression[]; isNegated: boolean }
    | { kind: 'between'; operand: Expression; low: Expression; high: Expression; isNegated: boolean }
    | { kind: 'like'; operand: Expression; pattern: Expression; escape: Expression | undefined; isNegated: boolean }
    | { kind: 'call'; name: string; args: Expression[] }
    | { kind: 'array'; items: Expression[] }
    | { kind: 'object'; properties: { name: string; value: Expression }[] }
    | { kind: 'subquery'; form: 'scalar' | 'exists' | 'array'; query: Query }
  );

export interface SelectItem extends Span {
  value: Expression;
  alias: string | undefined;
}

export type Selection =
  | ({ kind: 'star' } & Span)
  | ({ kind: 'value'; value: Expression } & Span)
  | ({ kind: 'list'; items: SelectItem[] } & Span);

export interface Source extends Span {
  /** `FROM c` and `FROM c IN c.items`: the bound name. */
  alias: string;
  path: Expression;
  /** `IN`: once for each element of the array at `path`. */
  isEach: boolean;
}

export interface SortKey {
  value: Expression;
  isDescending: boolean;
}

export interface Query {
  isDistinct: boolean;
  top: Expression | undefined;
  select: Selection;
  /** The whole `FROM` clause, as in the text. */
  fromSpan: Span | undefined;
  sources: Source[];
  where: Expression | undefined;
  groupBy: Expression[];
  orderBy: SortKey[];
  offset: Expression | undefined;
  limit: Expression | undefined;
}
