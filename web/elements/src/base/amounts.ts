/** Sizes and distances in time, in words of a locale. */
import type { I18n } from './i18n.js';

/** `48.1 MB` */
export function bytesText({ locale }: I18n, value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return new Intl.NumberFormat(locale, { style: 'unit', unit: units[unit]!, unitDisplay: 'short', maximumFractionDigits: unit ? 1 : 0 }).format(value);
}

/** “3 minutes ago”, in the largest unit that says something. */
export function agoText({ locale }: I18n, at: number, now: number): string {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const seconds = Math.round((at - now) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60],
  ];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, 'second');
}

/** A length of time in its largest unit. */
export function secondsText({ locale }: I18n, value: number): string {
  const [unit, size] = value >= 172_800 ? ['day', 86_400] as const : value >= 7200 ? ['hour', 3600] as const : value >= 120 ? ['minute', 60] as const : ['second', 1] as const;
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 0 }).format(value / size);
}
