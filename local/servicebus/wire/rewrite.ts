// A copy of a message with other properties, as a rule's action wants it. Everything else stays byte for byte.
import { described, type Facts, mapEntries, section, splitSections } from './message.ts';
import {
  elements,
  encodeExact,
  encodeList,
  encodeMap,
  encodeString,
  encodeSymbol,
  type Exact,
  nullValue,
} from './values.ts';

/** Where a property is in the section (AMQP 1.0, part 3, section 3.2.4). */
const places = {
  messageId: 0,
  to: 2,
  subject: 3,
  replyTo: 4,
  correlationId: 5,
  contentType: 6,
  sessionId: 10,
  replyToSessionId: 12,
} as const satisfies Partial<Record<keyof Facts, number>>;

/** What to change; undefined removes. */
export interface PropertyChanges {
  system: ReadonlyMap<keyof typeof places, string | undefined>;
  user: ReadonlyMap<string, Exact | undefined>;
}

export function withProperties(raw: Buffer, changes: PropertyChanges): Buffer {
  const sections = splitSections(raw);
  const bytesOf = (code: number) => sections.find((part) => part.code === code);
  const before = sections.filter((part) => part.code < section.properties);
  const after = sections.filter((part) => part.code > section.applicationProperties);
  const old = bytesOf(section.properties);
  const application = bytesOf(section.applicationProperties);
  return Buffer.concat([
    ...before.map(({ start, end }) => raw.subarray(start, end)),
    described(section.properties, system(old ? elements(raw, old.value) : [], changes.system)),
    described(
      section.applicationProperties,
      user(application ? mapEntries(raw, application.value) : new Map(), changes),
    ),
    ...after.map(({ start, end }) => raw.subarray(start, end)),
  ]);
}

function system(fields: readonly Buffer[], changes: PropertyChanges['system']): Buffer {
  const list = [...fields];
  for (const [name, value] of changes) {
    while (list.length <= places[name]) list.push(nullValue);
    const encode = name === 'contentType' ? encodeSymbol : encodeString;
    list[places[name]] = value === undefined ? nullValue : encode(value);
  }
  return encodeList(list);
}

/** Names are compared without case, as in rules; a new value takes the name that is there. */
function user(entries: Map<string, Buffer>, { user: changes }: PropertyChanges): Buffer {
  for (const [name, value] of changes) {
    const key = [...entries.keys()].find((each) => each.toLowerCase() === name.toLowerCase()) ?? name;
    if (value === undefined) entries.delete(key);
    else entries.set(key, encodeExact(value));
  }
  return encodeMap([...entries].flatMap(([key, value]) => [encodeString(key), value]));
}
