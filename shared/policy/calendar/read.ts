// iCalendar, RFC 5545, as typed components. ical.js reads the lines; what it lets pass is checked here.
import ICAL from 'ical.js';
import { z } from 'zod';

export interface Component {
  name: string;
  properties: Property[];
  components: Component[];
}
export interface Property {
  name: string;
  parameters: Record<string, string | string[]>;
  type: string;
  values: unknown[];
}

/** What is wrong with a calendar, and where. */
export class CalendarFault extends Error {
  readonly path: string;
  readonly value: unknown;
  readonly fix: string;
  constructor(path: string, value: unknown, message: string, fix: string) {
    super(message);
    this.path = path;
    this.value = value;
    this.fix = fix;
  }
}

const linesAtMost = 50_000;
const lineAtMost = 16_384;
const depthAtMost = 4;
const eventsAtMost = 1000;

const Jcal = z.tuple([z.string(), z.array(z.unknown()), z.array(z.unknown())]);
const JcalProperty = z
  .tuple([z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())])), z.string()])
  .rest(z.unknown());

/** The one VCALENDAR of a text. Throws `CalendarFault`. */
export function readCalendar(text: string): Component {
  bound(text);
  let parsed: unknown;
  try {
    parsed = ICAL.parse(text);
  } catch (error) {
    throw notACalendar((error as Error).message.slice(0, 200));
  }
  if (Array.isArray(parsed) && (parsed.length === 0 || Array.isArray(parsed[0])))
    throw notACalendar(`it holds ${parsed.length} calendars`);
  const calendar = component(parsed);
  if (calendar.name !== 'vcalendar') throw notACalendar(`it begins with ${calendar.name}`);
  const events = calendar.components.filter(({ name }) => name === 'vevent').length;
  if (events > eventsAtMost)
    throw new CalendarFault('VEVENT', events, `more than ${eventsAtMost} events`, 'send only what forbids cutovers');
  return calendar;
}

/** Before the parser sees it: nothing in a calendar of blackouts needs more. */
function bound(text: string): void {
  const lines = text.split(/\r?\n(?![ \t])/);
  if (lines.length > linesAtMost)
    throw new CalendarFault('', lines.length, `more than ${linesAtMost} lines`, 'send only what forbids cutovers');
  let depth = 0;
  for (const line of lines) {
    if (line.length > lineAtMost)
      throw new CalendarFault('', line.slice(0, 40), `a line longer than ${lineAtMost} characters`, 'shorten it');
    if (/^BEGIN:/i.test(line)) depth++;
    else if (/^END:/i.test(line)) depth--;
    if (depth > depthAtMost)
      throw new CalendarFault('', line.slice(0, 40), `components nested deeper than ${depthAtMost}`, 'flatten them');
  }
}

function notACalendar(why: string): CalendarFault {
  return new CalendarFault(
    '',
    undefined,
    `this is not one iCalendar object: ${why}`,
    'send one BEGIN:VCALENDAR … END:VCALENDAR',
  );
}

function component(jcal: unknown): Component {
  const [name, properties, components] = Jcal.parse(jcal);
  return { name, properties: properties.map(property), components: components.map(component) };
}

function property(jcal: unknown): Property {
  const [name, parameters, type, ...values] = JcalProperty.parse(jcal);
  return { name, parameters, type, values };
}

/** The first property of a name. */
export function first({ properties }: Component, name: string): Property | undefined {
  return properties.find((one) => one.name === name);
}

/** The text of the first property of a name. */
export function textOf(of: Component, name: string): string | undefined {
  const value = first(of, name)?.values[0];
  return typeof value === 'string' ? value : undefined;
}
