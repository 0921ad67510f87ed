// LIKE patterns: % any text, _ one character, [a-f] and [^a-f] sets. https://learn.microsoft.com/cosmos-db/query/like

const compiled = new Map<string, RegExp>();

export function likePattern(pattern: string, mark: string | undefined): RegExp {
  const key = `${mark ?? ''}\u0000${pattern}`;
  let found = compiled.get(key);
  if (!found) {
    if (compiled.size > 500) compiled.clear();
    found = new RegExp(`^${translate([...pattern], mark)}$`, 'su');
    compiled.set(key, found);
  }
  return found;
}

function translate(characters: string[], mark: string | undefined): string {
  let out = '';
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const closing = character === '[' ? characters.indexOf(']', at + 2) : -1;
    if (character === mark && at + 1 < characters.length) out += literal(characters[++at] ?? '');
    else if (character === '%') out += '.*';
    else if (character === '_') out += '.';
    else if (closing > 0) {
      const isNegated = characters[at + 1] === '^';
      const set = characters
        .slice(at + (isNegated ? 2 : 1), closing)
        .map((item) => (item === '-' ? item : literal(item)));
      out += `[${isNegated ? '^' : ''}${set.join('')}]`;
      at = closing;
    } else out += literal(character);
  }
  return out;
}

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
