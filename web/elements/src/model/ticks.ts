/** Where an axis of time is marked: at round times of the clocks in a zone. */
import { DAY_MS, fromWall, toWall } from './time.js';

const HOUR_MS = DAY_MS / 24;
const STEPS_MS = [...[1, 5, 10, 30, 60, 300, 600, 900, 1800].map((seconds) => seconds * 1000), ...[1, 2, 3, 6, 12, 24, 48, 168, 336].map((hours) => hours * HOUR_MS)];
const STEPS_MONTHS = [1, 2, 3, 6, 12, 24, 60];
/** Weeks start on Mondays; 1970 did on a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

export interface Ticks {
  at: number[];
  /** The distance between them by the clock; at least a month from 28 days on. */
  step: number;
}

/** Round times in `from` to `to`, at least `gap` milliseconds apart. */
export function ticks(from: number, to: number, zone: string, gap: number): Ticks {
  const step = STEPS_MS.find((each) => each >= gap);
  const months = STEPS_MONTHS.find((each) => each * 28 * DAY_MS >= gap) ?? 120;
  const wall = toWall(from, zone);
  const date = new Date(wall);
  const start = step ? Math.floor((wall - MONDAY_MS) / step) : Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months);
  const at: number[] = [];
  for (let i = start; ; i++) {
    const instant = fromWall(step ? MONDAY_MS + i * step : Date.UTC(2000, i * months - 24_000), zone);
    if (instant >= to) return { at, step: step ?? months * 28 * DAY_MS };
    if (instant >= from) at.push(instant);
  }
}
