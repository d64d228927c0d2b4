/** Sizes and distances in time, in words of a locale. */
import { html } from 'lit';
import type { I18n } from './i18n.js';

/** `48.1 MB` */
export function bytesText({ locale }: I18n, value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return new Intl.NumberFormat(locale, { style: 'unit', unit: units[unit]!, unitDisplay: 'short', maximumFractionDigits: unit ? 1 : 0 }).format(value);
}

const UNITS = [['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60]] as const;

/** “3 minutes ago”, in the largest unit that says something. */
export function agoText({ locale }: I18n, at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? (['second', 1] as const);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
}

/** How long ago something was, or when if that is long; its full time on hover. */
export function timeTag(i18n: I18n, time: string | null | undefined) {
  if (!time) return html`<span class="muted">${i18n.t('Never')}</span>`;
  const at = Date.parse(time);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return html`<time datetime=${time} title=${i18n.dates(zone, { dateStyle: 'full', timeStyle: 'long' }).format(at)}>${Math.abs(Date.now() - at) < 36e5
    ? agoText(i18n, at, Date.now()) : i18n.dates(zone, { dateStyle: 'medium', timeStyle: 'short' }).format(at)}</time>`;
}
