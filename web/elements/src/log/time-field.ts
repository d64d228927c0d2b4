/** The range and zone of the page, always in view; its panel opens beneath. */
import { css, html } from 'lit';
import { property, query } from '../base/decorators.js';
import { icon } from '../base/icons.js';
import type { Message } from '../base/i18n.js';
import { define, Part, type App } from '../base/part.js';
import { controls } from '../base/look.js';
import { DAY_MS, parseRange, toWall, zoneName, type Range } from '../model/time.js';
import type { TimePanel } from './time-panel.js';

export const PRESETS: readonly [string, Message][] = [
  ['15m', 'Last 15 minutes'], ['1h', 'Last hour'], ['24h', 'Last 24 hours'], ['today', 'Today'], ['yesterday', 'Yesterday'],
  ['7d', 'Last 7 days'], ['30d', 'Last 30 days'], ['90d', 'Last 90 days'], ['all', 'All time'],
];

@define('recount-time-field')
export class TimeField extends Part {
  @property() range = '';
  @property() zone = 'local';
  @property() zoneLabel = '';
  @query('recount-time-panel') private panel!: TimePanel;

  async open(): Promise<void> {
    await import('./later.js');
    await this.panel.updateComplete;
    this.panel.open(this.renderRoot.querySelector('button')!);
  }

  override render() {
    return html`<button class="btn" part="time" aria-haspopup="dialog" @click=${() => this.open()}>
        ${icon('calendar')}<span class="clip">${rangeLabel(this.app, this.range, this.zone)}</span><span class="muted zone">${this.zoneLabel}</span>${icon('down')}</button>
      <recount-time-panel .app=${this.app} .range=${this.range} .zone=${this.zone}
        @range-change=${(event: CustomEvent<string>) => this.tell('range-change', event.detail)} @zone-change=${(event: CustomEvent<string>) => this.tell('zone-change', event.detail)}></recount-time-panel>`;
  }

  static override styles = [controls, css`
    :host { min-inline-size: 0; }
    .btn { max-inline-size: 100%; inline-size: 100%; }
    .btn .icon:last-child { inline-size: 14px; }
    .zone { font-weight: 400; }
  `];
}

const UNITS: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' };
const duration = (locale: string, value: number, unit: string): string =>
  new Intl.NumberFormat(locale, { style: 'unit', unit: UNITS[unit]!, unitDisplay: 'long' }).format(value);

/** What a written range is called. */
export function rangeLabel(app: App, written: string, zone: string): string {
  const { t, locale } = app.i18n;
  const preset = PRESETS.find(([value]) => value === written);
  if (preset) return t(preset[1]);
  const range = parseRange(written, zone, Date.now());
  if (typeof range === 'string') return written;
  const last = /^(\d+)([mhdws])$/.exec(written);
  return last ? t('Last {time}', { time: duration(locale, +last[1]!, last[2]!) }) : rangeText(app, range, zoneName(zone));
}

/** An absolute range in words; whole days without clock times. */
export function rangeText({ i18n }: App, range: Range, zone: string): string {
  const whole = [range.from, range.to].every((at) => at === undefined || toWall(at, zone) % DAY_MS === 0);
  const seconds = [range.from, range.to].some((at) => (at ?? 0) % 60_000);
  const format = i18n.dates(zone, whole ? { dateStyle: 'medium' }
    : { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', ...(seconds && { second: '2-digit' }) });
  const end = range.to === undefined ? undefined : range.to - (whole ? 1 : 0);
  if (range.from === undefined) return end === undefined ? i18n.t('All time') : i18n.t('Until {time}', { time: format.format(end) });
  return end === undefined ? i18n.t('Since {time}', { time: format.format(range.from) }) : format.formatRange(range.from, end);
}
