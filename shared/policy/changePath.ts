// Paths of a difference as people read them: members by name, elements of a list by their id, never by their place.
// `groups[shop].workloads[web].target.name`; a name that is no word is quoted: `tags["cost centre"]`.

export type Step = { member: string } | { element: string };

/** Behind a list's path, when nothing changes but the order of its elements. */
export const orderOf = (path: string): string => `${path} (order)`;
const order = / \(order\)$/;

const word = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const simpleId = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** The path of a member. */
export function memberOf(path: string, name: string): string {
  if (!word.test(name)) return `${path}.${JSON.stringify(name)}`;
  return path === '' ? name : `${path}.${name}`;
}

/** The path of a list's element. */
export function elementOf(path: string, id: string): string {
  return `${path}[${simpleId.test(id) ? id : JSON.stringify(id)}]`;
}

/** Reads a path back. Throws on what is none. */
export function readPath(text: string): { steps: Step[]; order: boolean } {
  const path = text.replace(order, '');
  const token = /\.?("(?:[^"\\]|\\.)*")|\.?([A-Za-z_][A-Za-z0-9_-]*)|\[("(?:[^"\\]|\\.)*")\]|\[([A-Za-z0-9._-]+)\]/y;
  const steps: Step[] = [];
  while (token.lastIndex < path.length) {
    const at = token.lastIndex;
    const found = token.exec(path);
    if (found === null) throw new Error(`"${text}" is no path of a change, from its place ${at}`);
    const [, quotedMember, member, quotedElement, element] = found;
    const read = (quoted: string | undefined, plain: string | undefined): string | undefined =>
      quoted === undefined ? plain : (JSON.parse(quoted) as string);
    const name = read(quotedMember, member);
    steps.push(name === undefined ? { element: read(quotedElement, element) ?? '' } : { member: name });
  }
  return { steps, order: path !== text };
}
