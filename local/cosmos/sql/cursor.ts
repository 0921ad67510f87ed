// Where the parser stands in the tokens.
import type { Query } from './ast.ts';
import { syntaxError, type Token, tokenize } from './lexer.ts';

const KEYWORDS = new Set(
  'AND ARRAY AS ASC BETWEEN BY DESC DISTINCT ESCAPE EXISTS FROM GROUP IN JOIN LEFT LIKE LIMIT NOT OFFSET OR ORDER RANK RIGHT SELECT TOP VALUE WHERE'.split(
    ' ',
  ),
);
// These four are keywords in this spelling only.
const LITERALS = new Set(['true', 'false', 'null', 'undefined']);
const END: Token = { kind: 'end', text: '', start: 0, end: 0 };

export class Cursor {
  readonly text: string;
  /** Parses a query inside an expression. */
  readonly select: (cursor: Cursor) => Query;
  /** Where the last taken token ended. */
  lastEnd = 0;
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string, select: (cursor: Cursor) => Query) {
    this.text = text;
    this.select = select;
    this.#tokens = tokenize(text);
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? END;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#at++;
    this.lastEnd = token.end;
    return token;
  }

  isKeyword(keyword: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'name' && token.text.toUpperCase() === keyword;
  }

  takeKeyword(keyword: string): boolean {
    if (!this.isKeyword(keyword)) return false;
    this.next();
    return true;
  }

  expectKeyword(keyword: string): void {
    if (!this.takeKeyword(keyword)) throw this.error();
  }

  isSymbol(symbol: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.next();
    return true;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.error();
  }

  isIdentifier(): boolean {
    const { kind, text } = this.peek();
    return kind === 'name' && !KEYWORDS.has(text.toUpperCase()) && !LITERALS.has(text);
  }

  identifier(): string {
    if (!this.isIdentifier()) throw this.error();
    return this.next().text;
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.error();
  }

  error(token = this.peek()) {
    return syntaxError(this.text, token);
  }
}
