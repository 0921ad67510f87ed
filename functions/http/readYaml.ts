// YAML from strangers. What the library (yaml@2.9.1) does slowly is checked before or instead: a million brackets keep it
// busy for seconds, and its own search for repeated keys is quadratic.
import { isScalar, Lexer, parseDocument, visit } from 'yaml';

export class YamlFault extends Error {
  readonly fault: 'deep' | 'duplicate' | 'malformed';
  constructor(fault: 'deep' | 'duplicate' | 'malformed', message: string) {
    super(message);
    this.fault = fault;
  }
}

const aliasesAtMost = 100;

/** Parses one YAML document into plain data; throws `YamlFault`. Depth in lines is bounded by what the caller checks after. */
export function readYaml(text: string, depthAtMost: number): unknown {
  scan(text, depthAtMost);
  try {
    const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false });
    const [first] = document.errors;
    if (first !== undefined)
      throw new YamlFault('malformed', `${first.message} (line ${text.slice(0, first.pos[0]).split('\n').length})`);
    visit(document, {
      Map(_key, { items }) {
        const names = new Set<unknown>();
        for (const { key } of items) {
          const name = isScalar(key) ? key.value : key;
          if (names.has(name)) throw new YamlFault('duplicate', `the name "${String(name)}" comes twice in one map`);
          names.add(name);
        }
      },
    });
    return document.toJS({ maxAliasCount: aliasesAtMost });
  } catch (error) {
    if (error instanceof YamlFault) throw error;
    // The parser recurses: what exhausts the stack is too deep.
    if (error instanceof RangeError) throw new YamlFault('deep', 'too deep');
    throw new YamlFault('malformed', (error as Error).message);
  }
}

/** Depth that costs one character a level: brackets, and indicators that follow each other on a line. */
function scan(text: string, depthAtMost: number): void {
  let brackets = 0;
  let indicators = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const first = lexeme[0];
    if (lexeme === '[' || lexeme === '{') brackets++;
    else if (lexeme === ']' || lexeme === '}') brackets--;
    else if (lexeme === '-' || lexeme === '?' || first === '&' || first === '!') indicators++;
    else if (first === '\n' || first === '\r') indicators = 0;
    if (brackets > depthAtMost || indicators > depthAtMost) throw new YamlFault('deep', 'too deep');
  }
}
