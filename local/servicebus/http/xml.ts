// ATOM documents of the administration API, written and read
// (https://learn.microsoft.com/rest/api/servicebus/queues). Only what @azure/service-bus 7.9.5 sends and needs.
import { XMLParser } from 'fast-xml-parser';

const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const instance = 'http://www.w3.org/2001/XMLSchema-instance';

const entities: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** Named entities only: the client's parser leaves numeric ones as they are. */
export const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&${entities[sign]};`);

export const element = (name: string, text: string | number): string => `<${name}>${escapeXml(String(text))}</${name}>`;

export interface Entry {
  /** The entity's URL; the client takes names out of it. */
  id: string;
  title: string;
  /** QueueDescription and the like, and its inner XML. */
  kind: string;
  content: string;
}

export function entry({ id, title, kind, content }: Entry): string {
  const body = `<${kind} xmlns="${connect}" xmlns:i="${instance}">${content}</${kind}>`;
  return `<entry xmlns="http://www.w3.org/2005/Atom">${element('id', id)}<title type="text">${escapeXml(title)}</title><content type="application/xml">${body}</content></entry>`;
}

/** A feed; an empty one is how Service Bus says "no such entity". */
export function feed(self: string, entries: Entry[], next?: string): string {
  const link = (rel: string, href: string) => `<link rel="${rel}" href="${escapeXml(href)}"/>`;
  const links = link('self', self) + (next ? link('next', next) : '');
  return `<feed xmlns="http://www.w3.org/2005/Atom">${element('id', self)}${links}${entries.map(entry).join('')}</feed>`;
}

export const errorDocument = (code: number, detail: string): string =>
  `<Error>${element('Code', code)}${element('Detail', detail)}</Error>`;

/** A parsed element: text, or its children (attributes with `@`, text beside them as `#text`). */
export type Node = string | { [key: string]: Node | Node[] };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
});

/** The description inside an entry: its children by name. */
export function readEntry(xml: string, kind: string): Record<string, Node | Node[]> {
  const document = parser.parse(xml) as Node;
  const found = child(child(child(document, 'entry'), 'content'), kind);
  return typeof found === 'object' ? found : {};
}

export function child(node: Node | undefined, name: string): Node | undefined {
  if (typeof node !== 'object') return undefined;
  const found = node[name];
  return Array.isArray(found) ? found[0] : found;
}

export function children(node: Node | undefined, name: string): Node[] {
  if (typeof node !== 'object') return [];
  const found = node[name];
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}

export function textOf(node: Node | undefined): string | undefined {
  return typeof node === 'object' ? textOf(child(node, '#text')) : node;
}
