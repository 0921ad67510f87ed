// LIKE: `%` is any text, `_` one character, and the escape character makes the next one plain. Linear in memory and
// never exponential in time: only the last `%` is ever tried again.
import { FilterException } from './values.ts';

type Piece = { kind: 'any' } | { kind: 'one' } | { kind: 'plain'; character: string };

function pieces(pattern: string, mark: string | undefined): Piece[] {
  const found: Piece[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    const following = characters[i + 1];
    if (character === mark) {
      if (following === undefined) throw new FilterException('The LIKE pattern ends with its escape character.');
      found.push({ kind: 'plain', character: following });
      i++;
    } else if (character === '%') found.push({ kind: 'any' });
    else if (character === '_') found.push({ kind: 'one' });
    else found.push({ kind: 'plain', character });
  }
  return found;
}

export function isLike(text: string, pattern: string, mark?: string): boolean {
  const wanted = pieces(pattern, mark);
  const characters = [...text];
  let [at, piece] = [0, 0];
  let retry: { at: number; piece: number } | undefined;
  while (at < characters.length) {
    const now = wanted[piece];
    if (now?.kind === 'any') {
      retry = { at, piece };
      piece++;
    } else if (now && (now.kind === 'one' || now.character === characters[at])) {
      at++;
      piece++;
    } else if (retry) {
      retry.at++;
      [at, piece] = [retry.at, retry.piece + 1];
    } else return false;
  }
  return wanted.slice(piece).every(({ kind }) => kind === 'any');
}
