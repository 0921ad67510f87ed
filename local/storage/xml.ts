// The little XML that Blob Storage speaks, written by hand: the answers are flat and their order matters.

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}

/** An element around markup, or around text where `isText`; nothing for undefined. */
export function element(name: string, content: string | number | undefined, isText = false): string {
  if (content === undefined) return '';
  return `<${name}>${isText ? escapeText(String(content)) : content}</${name}>`;
}

/** Elements with text, one for each defined entry. */
export function elements(entries: Record<string, string | number | undefined>): string {
  return Object.entries(entries)
    .map(([name, text]) => element(name, text, true))
    .join('');
}

export function document(root: string, content: string, attributes: Record<string, string> = {}): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeText(value)}"`);
  return `<?xml version="1.0" encoding="utf-8"?><${root}${written.join('')}>${content}</${root}>`;
}
