// Looks at JSON text before it is parsed: `JSON.parse` keeps the last of two members with one name and does not mind depth.

export type JsonFault = { fault: 'deep' } | { fault: 'duplicate'; name: string };

/** The first member that comes twice in one object, or nesting beyond `depthAtMost`. Malformed text is left to the parser. */
export function scanJson(text: string, depthAtMost: number): JsonFault | undefined {
  const open: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (expectsName && names !== undefined) {
        const name = text.slice(at, end + 1);
        const plain = name.includes('\\') ? unescaped(name) : name;
        if (names.has(plain)) return { fault: 'duplicate', name: plain.slice(1, -1) };
        names.add(plain);
        expectsName = false;
      }
      at = end;
    } else if (character === '{' || character === '[') {
      if (open.length >= depthAtMost) return { fault: 'deep' };
      open.push(character === '{' ? new Set() : undefined);
      expectsName = character === '{';
    } else if (character === '}' || character === ']') {
      open.pop();
      expectsName = false;
    } else if (character === ',') {
      expectsName = open.at(-1) !== undefined;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function unescaped(name: string): string {
  try {
    return `"${String(JSON.parse(name))}"`;
  } catch {
    return name;
  }
}
