// SQL filters and actions
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter and …-sql-rule-action).
// From weak to strong: OR, AND, NOT, comparisons, + and -, * / %, signs.
import { type Arithmetic, type Comparison, isPredicate, type Predicate, type Property, type Statement } from './ast.ts';
import type { Value } from './ast.ts';
import { syntaxError, type Token, tokenize } from './lexer.ts';
import { systemNames } from './scope.ts';
import type { SqlValue } from './values.ts';

export type Parameters = Readonly<Record<string, SqlValue>>;

// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
const longest = 1024;
const deepest = 32;
const mostStatements = 32;

const reserved = new Set(['and', 'escape', 'exists', 'false', 'in', 'is', 'like', 'not', 'null', 'or', 'true']);
const comparisons = ['=', '<>', '!=', '<', '<=', '>', '>='];

export function parseFilter(source: string, parameters: Parameters = {}): Predicate {
  return new Parser(source, parameters).filter();
}

export function parseAction(source: string, parameters: Parameters = {}): Statement[] {
  return new Parser(source, parameters).statements();
}

class Parser {
  readonly #source: string;
  readonly #parameters: Map<string, SqlValue>;
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;

  constructor(source: string, parameters: Parameters) {
    this.#source = source;
    this.#parameters = new Map(Object.entries(parameters).map(([key, value]) => [key.toLowerCase(), value]));
    if (source.length > longest) this.#fail(`an expression has at most ${longest} characters.`, longest);
    this.#tokens = tokenize(source);
  }

  filter(): Predicate {
    const found = this.#predicate(this.#or());
    if (this.#token.kind !== 'end') this.#fail('the expression should have ended here.');
    return found;
  }

  statements(): Statement[] {
    const found: Statement[] = [];
    while (this.#token.kind !== 'end') {
      if (found.length === mostStatements) this.#fail(`an action has at most ${mostStatements} statements.`);
      found.push(this.#statement());
      if (!this.#sign(';')) this.#sign(',');
    }
    if (found.length === 0) this.#fail('SET or REMOVE is expected.');
    return found;
  }

  #statement(): Statement {
    if (this.#word('remove')) return { kind: 'remove', property: this.#property() };
    if (!this.#word('set')) this.#fail('SET or REMOVE is expected.');
    const property = this.#property();
    if (!this.#sign('=')) this.#fail("'=' is expected.");
    return { kind: 'set', property, value: this.#value(this.#sum()) };
  }

  // ---- predicates

  #or(): Value | Predicate {
    let left = this.#and();
    while (this.#word('or')) left = this.#both('or', left, this.#and());
    return left;
  }

  #and(): Value | Predicate {
    let left = this.#not();
    while (this.#word('and')) left = this.#both('and', left, this.#not());
    return left;
  }

  #both(kind: 'and' | 'or', left: Value | Predicate, right: Value | Predicate): Predicate {
    return { kind, left: this.#predicate(left), right: this.#predicate(right) };
  }

  #not(): Value | Predicate {
    if (!this.#word('not')) return this.#comparison();
    return this.#deeper(() => ({ kind: 'not', operand: this.#predicate(this.#not()) }));
  }

  #comparison(): Value | Predicate {
    const left = this.#sum();
    const sign = comparisons.find((each) => this.#sign(each));
    if (sign) {
      const operator = (sign === '!=' ? '<>' : sign) as Comparison;
      return { kind: 'compare', operator, left: this.#value(left), right: this.#value(this.#sum()) };
    }
    if (this.#word('is')) {
      const isNegated = this.#word('not');
      if (!this.#word('null')) this.#fail('NULL is expected.');
      if (isPredicate(left) || left.kind !== 'property') this.#fail('IS NULL asks of a property.');
      return this.#negated(isNegated, { kind: 'isNull', operand: left });
    }
    const isNegated = this.#word('not');
    if (this.#word('in')) return this.#negated(isNegated, this.#in(this.#value(left)));
    if (this.#word('like')) return this.#negated(isNegated, this.#like(this.#value(left)));
    if (isNegated) this.#fail('IN or LIKE is expected.');
    return left;
  }

  #in(operand: Value): Predicate {
    if (!this.#sign('(')) this.#fail("'(' is expected.");
    const items = [this.#value(this.#sum())];
    while (this.#sign(',')) items.push(this.#value(this.#sum()));
    this.#close();
    return { kind: 'in', operand, items };
  }

  #like(operand: Value): Predicate {
    const pattern = this.#value(this.#sum());
    const mark = this.#word('escape') ? this.#value(this.#sum()) : undefined;
    return { kind: 'like', operand, pattern, escape: mark };
  }

  #negated(isNegated: boolean, operand: Predicate): Predicate {
    return isNegated ? { kind: 'not', operand } : operand;
  }

  // ---- values

  #sum(): Value | Predicate {
    return this.#leftToRight(['+', '-'], () => this.#product());
  }

  #product(): Value | Predicate {
    return this.#leftToRight(['*', '/', '%'], () => this.#signed());
  }

  #leftToRight(operators: Arithmetic[], operand: () => Value | Predicate): Value | Predicate {
    let left = operand();
    for (;;) {
      const operator = operators.find((each) => this.#sign(each));
      if (!operator) return left;
      left = { kind: 'arithmetic', operator, left: this.#value(left), right: this.#value(operand()) };
    }
  }

  #signed(): Value | Predicate {
    if (this.#sign('-')) {
      // The least integer has no positive counterpart.
      if (this.#token.kind === 'number') return { kind: 'constant', value: this.#number('-') };
      return this.#deeper(() => ({ kind: 'negate', operand: this.#value(this.#signed()) }));
    }
    if (this.#sign('+')) return this.#deeper(() => this.#value(this.#signed()));
    return this.#primary();
  }

  #primary(): Value | Predicate {
    const { kind, text } = this.#token;
    if (this.#sign('(')) {
      const inside = this.#deeper(() => this.#or());
      this.#close();
      return inside;
    }
    if (kind === 'number') return { kind: 'constant', value: this.#number('') };
    if (kind === 'text') return this.#constant(text);
    if (kind === 'parameter') {
      const value = this.#parameters.get(text.toLowerCase());
      if (value === undefined) this.#fail(`the parameter ${text} has no value.`);
      return this.#constant(value);
    }
    if (this.#word('null')) return { kind: 'constant', value: null };
    if (this.#word('true')) return { kind: 'constant', value: true };
    if (this.#word('false')) return { kind: 'constant', value: false };
    if (this.#word('exists')) {
      if (!this.#sign('(')) this.#fail("'(' is expected.");
      const property = this.#property();
      this.#close();
      return { kind: 'exists', operand: { kind: 'property', property } };
    }
    if (kind === 'word' && this.#tokens[this.#next + 1]?.text === '(') return this.#call(text);
    return { kind: 'property', property: this.#property() };
  }

  #call(name: string): Value {
    const isNewId = name.toLowerCase() === 'newid';
    if (!isNewId && !['property', 'p'].includes(name.toLowerCase())) {
      this.#fail(`there is no function '${name}'; newid(), property(name) and p(name) are.`);
    }
    this.#next += 2;
    const argument = isNewId ? undefined : this.#deeper(() => this.#value(this.#sum()));
    this.#close();
    return argument === undefined ? { kind: 'newid' } : { kind: 'lookup', name: argument };
  }

  #property(): Property {
    const { kind, text } = this.#token;
    if (kind === 'word' && this.#tokens[this.#next + 1]?.text === '.') {
      const scope = text.toLowerCase();
      if (scope !== 'sys' && scope !== 'user') this.#fail(`there is no scope '${text}'; sys and user are.`);
      this.#next += 2;
      return scope === 'user' ? { scope, name: this.#name() } : this.#system();
    }
    return { scope: 'user', name: this.#name() };
  }

  #system(): Property {
    const { text } = this.#token;
    const name = systemNames[text.toLowerCase() as keyof typeof systemNames];
    if (!name) this.#fail(`there is no system property '${text}'; ${Object.keys(systemNames).join(', ')} are.`);
    this.#next++;
    return { scope: 'sys', name };
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind === 'word' && reserved.has(text.toLowerCase())) {
      this.#fail(`${text.toUpperCase()} is a keyword; a property of this name is written [${text}].`);
    }
    if (kind !== 'word' && kind !== 'name') this.#fail('a value or a property is expected.');
    this.#next++;
    return text;
  }

  #number(sign: '' | '-'): SqlValue {
    const { text } = this.#token;
    const isInteger = /^\d+$/.test(text);
    const value = isInteger ? BigInt(sign + text) : Number(sign + text);
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) this.#fail('this is beyond 64-bit integers.');
    this.#next++;
    return value;
  }

  #constant(value: SqlValue): Value {
    this.#next++;
    return { kind: 'constant', value };
  }

  // ---- tokens

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#source.length };
  }

  #word(word: string): boolean {
    const isThere = this.#token.kind === 'word' && this.#token.text.toLowerCase() === word;
    if (isThere) this.#next++;
    return isThere;
  }

  #sign(sign: string): boolean {
    const isThere = this.#token.kind === 'sign' && this.#token.text === sign;
    if (isThere) this.#next++;
    return isThere;
  }

  #close(): void {
    if (!this.#sign(')')) this.#fail("')' is expected.");
  }

  #deeper<T>(run: () => T): T {
    if (++this.#depth > deepest) this.#fail(`an expression is at most ${deepest} levels deep.`);
    const result = run();
    this.#depth--;
    return result;
  }

  #predicate(node: Value | Predicate): Predicate {
    if (!isPredicate(node)) this.#fail('a condition is expected, such as a comparison; a value alone is none.');
    return node;
  }

  #value(node: Value | Predicate): Value {
    if (isPredicate(node)) this.#fail('a value is expected, not a condition.');
    return node;
  }

  #fail(problem: string, at: number = this.#token.at): never {
    throw syntaxError(this.#source, at, problem);
  }
}
