// ISO 8601 durations as Service Bus writes them. The longest .NET TimeSpan means "never".
import { BusError } from './errors.ts';

export const forever = 'P10675199DT2H48M5.4775807S';

const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds; Infinity from a hundred years on. */
export function parseDuration(text: string): number {
  const found = pattern.exec(text);
  if (!found || text === 'P' || text.endsWith('T')) {
    throw new BusError(
      'amqp:not-allowed',
      `'${text}' is not an ISO 8601 duration of days, hours, minutes and seconds.`,
    );
  }
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  const ms = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1000;
  return ms >= 36_500 * 86_400_000 ? Number.POSITIVE_INFINITY : ms;
}
