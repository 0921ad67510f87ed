// The declarations that ical.js@2.2.1 brings do not compile under NodeNext (relative imports without extensions). These
// cover the part that is used; `paths` in tsconfig.json puts them in their place.
interface RecurIterator {
  next(): { toString(): string } | null;
}
declare const ICAL: {
  /** iCalendar as jCal, RFC 7265: `[name, properties, components]`; a list of these if there are several. */
  parse(text: string): unknown;
  Recur: { fromString(rule: string): { iterator(start: unknown): RecurIterator } };
  Time: { fromString(text: string, property: null): unknown };
};
export default ICAL;
