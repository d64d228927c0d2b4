/** Ranges of time as people write them, and wall-clock arithmetic in any zone. */

export interface Range {
  from?: number;
  to?: number;
  /** Whether the range moves with the clock, so that new events can enter it. */
  open: boolean;
}

export type RangeError = 'unknown' | 'reversed';

export const DAY_MS = 86_400_000;
const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** The IANA name behind a zone setting (`local`, `UTC`, or a name). */
export const zoneName = (zone: string): string =>
  zone === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;

export function isZone(zone: string): boolean {
  try {
    // Offsets are no zones: clocks change.
    return !!new Intl.DateTimeFormat('en', { timeZone: zoneName(zone) }) && /^[a-z]/i.test(zone);
  } catch {
    return false;
  }
}

const wallFormats = new Map<string, Intl.DateTimeFormat>();

/** The zone's offset from UTC at an instant, in milliseconds. */
export function offsetAt(at: number, zone: string): number {
  let format = wallFormats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA-u-ca-gregory', {
      timeZone: zoneName(zone), hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
      hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
    wallFormats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
  const wall = Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']);
  return wall - Math.floor(at / 1000) * 1000;
}

/** The instant at which clocks in `zone` show this wall time (given as if it were UTC). */
export function fromWall(wall: number, zone: string): number {
  const guess = wall - offsetAt(wall, zone);
  return wall - offsetAt(guess, zone);
}

export const toWall = (at: number, zone: string): number => at + offsetAt(at, zone);

/** The start of the day of `at` in `zone`; `days` moves by whole calendar days. */
export function dayStart(at: number, zone: string, days = 0): number {
  const wall = Math.floor(toWall(at, zone) / DAY_MS + days) * DAY_MS;
  return fromWall(wall, zone);
}

/** `2026-11-01T14:00:07.418+01:00` */
export function isoIn(at: number, zone: string): string {
  const offset = offsetAt(at, zone);
  const minutes = Math.abs(offset) / 60_000;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const suffix = offset ? `${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}` : 'Z';
  return new Date(at + offset).toISOString().slice(0, -1) + suffix;
}

/** A date or a date and time; without an offset it is wall time in `zone`. Gives its first and its end instant. */
function instant(text: string, zone: string): [number, number] | undefined {
  const match = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(Z|[+-]\d\d:?\d\d)?$/i.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute = '0', second = '0', fraction = '', offset] = match;
  const wall = Date.UTC(+year!, +month! - 1, +day!, +(hour ?? 0), +minute, +second, Math.floor(Number(`0.${fraction || 0}`) * 1000));
  if (new Date(wall).getUTCDate() !== +day! || +(hour ?? 0) > 23 || +minute > 59) return undefined;
  const length = hour === undefined ? DAY_MS : 0;
  if (offset) {
    const shift = /z/i.test(offset) ? 0 : (offset[0] === '-' ? -1 : 1) * (+offset.slice(1, 3) * 60 + +offset.slice(-2)) * 60_000;
    return [wall - shift, wall - shift + length];
  }
  return [fromWall(wall, zone), fromWall(wall + length, zone)];
}

/**
 * Reads `15m`, `7d`, `today`, `yesterday`, `all`, `2026-11-01`, `2026-11-01..2026-11-07` (both days
 * whole) and open ends (`2026-11-01..`). `aliases` are the locale's own words for the fixed ones.
 */
export function parseRange(text: string, zone: string, now: number, aliases: Readonly<Record<string, string>> = {}): Range | RangeError {
  const lower = text.trim().toLowerCase().replaceAll('’', "'");
  const written = Object.hasOwn(aliases, lower) ? aliases[lower]! : lower;
  if (written === 'all' || written === '') return { open: true };
  const last = /^(?:last\s+)?(\d{1,5})\s*([smhdw])$/.exec(written);
  if (last && +last[1]!) return { from: now - +last[1]! * UNIT_MS[last[2]!]!, open: true };
  if (written === 'today') return { from: dayStart(now, zone), open: true };
  if (written === 'yesterday') return { from: dayStart(now, zone, -1), to: dayStart(now, zone), open: false };
  const [first = '', second, ...rest] = written.split('..').map((part) => part.trim());
  if (rest.length) return 'unknown';
  const from = first ? instant(first, zone) : undefined;
  const to = second ? instant(second, zone) : undefined;
  if ((first && !from) || (second && !to) || (!from && !to)) return 'unknown';
  if (second === undefined) return { from: from![0], to: from![1] > from![0] ? from![1] : from![0] + UNIT_MS['m']!, open: false };
  if (from && to && from[0] >= to[1]) return 'reversed';
  return { from: from?.[0], to: to?.[1], open: !to };
}

/** The written form of two instants, exact and the same in every zone. */
export const writeRange = (from?: number, to?: number): string =>
  [from, to].map((at) => (at === undefined ? '' : new Date(at).toISOString())).join('..');
