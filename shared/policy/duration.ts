const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** An ISO 8601 duration of days, hours, minutes and seconds in milliseconds. A day is 24 hours. */
export function durationMs(duration: string): number {
  const match = parts.exec(duration);
  if (match === null) throw new RangeError(`"${duration}" is not a duration such as PT45M`);
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}

/** An instant moved by milliseconds, as `Date.prototype.toISOString` prints it. */
export function plusMs(instant: string, milliseconds: number): string {
  return new Date(Date.parse(instant) + milliseconds).toISOString();
}

/** Milliseconds from one instant to another. */
export function msBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

/** The shortest of some durations; undefined if there is none. */
export function shortest(durations: readonly (string | undefined)[]): string | undefined {
  return ascending(durations)[0];
}

/** The longest of some durations; undefined if there is none. */
export function longest(durations: readonly (string | undefined)[]): string | undefined {
  return ascending(durations).at(-1);
}

function ascending(durations: readonly (string | undefined)[]): string[] {
  const given = durations.filter((duration) => duration !== undefined);
  return given.toSorted((a, b) => durationMs(a) - durationMs(b));
}
