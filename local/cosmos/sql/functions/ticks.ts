// Moments as Cosmos SQL writes them, `2026-11-28T09:03:33.1234567Z`, counted in ticks of 100 ns since 1970.

const TEXT = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d)?)?$/;
export const TICKS_A_MS = 10_000n;

/** The ticks of a text in ISO 8601; undefined for anything else. */
export function ticksOf(value: unknown): bigint | undefined {
  const found = typeof value === 'string' ? TEXT.exec(value) : null;
  if (!found) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = found;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes the 31st of June for the 1st of July.
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(day)) return undefined;
  const offset =
    zone === 'Z' ? 0 : (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * (zone[0] === '-' ? -1 : 1);
  return BigInt(ms - offset * 60_000) * TICKS_A_MS + BigInt(fraction.padEnd(7, '0'));
}

/** The text of a moment, with all seven digits; undefined outside the years 1 to 9999. */
export function textOf(ticks: bigint): string | undefined {
  const within = ((ticks % TICKS_A_MS) + TICKS_A_MS) % TICKS_A_MS;
  const ms = Number((ticks - within) / TICKS_A_MS);
  const date = new Date(ms);
  const isWritten = date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999;
  return isWritten ? `${date.toISOString().slice(0, -1)}${String(within).padStart(4, '0')}Z` : undefined;
}
