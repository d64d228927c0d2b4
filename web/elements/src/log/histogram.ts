/** Events over time as bars by outcome: brush or arrow keys choose a range, a table says the same in text. */
import { css, html, nothing, svg, type PropertyValues } from 'lit';
import { property, state } from '../base/decorators.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import type { Bucket, HistogramAnswer } from '../model/api.js';
import { firstIndex } from '../model/paged-log.js';
import { ticks } from '../model/ticks.js';
import { DAY_MS, fromWall, toWall } from '../model/time.js';
import { rangeLabel } from './time-field.js';

const HEIGHT_PX = 64;
const BAR_GAP_PX = 1.5;
const LABEL_WIDTH_PX = 72;
const TABLE_ROWS_MAX = 200;

interface Bar extends Bucket {
  at: number;
  end: number;
  total: number;
}

@define('recount-histogram')
export class Histogram extends Part {
  @property({ attribute: false }) answer?: HistogramAnswer;
  @property() zone = 'UTC';
  /** The written range that zooming came from. */
  @property() outer?: string;
  @property({ type: Boolean }) loading = false;

  @state() private width = 0;
  /** The chosen bars, from where the choice began to where it is. */
  @state() private brush?: [number, number];
  @state() private pointed = -1;
  #bars: Bar[] = [];
  #dragging = false;
  #observer = new ResizeObserver(([entry]) => (this.width = Math.floor(entry!.contentRect.width)));

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    this.#observer.disconnect();
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('answer')) return;
    const buckets = this.answer?.buckets ?? [];
    this.#bars = buckets.map((bucket, i) => {
      const at = Date.parse(bucket.start);
      const next = buckets[i + 1];
      return { ...bucket, at, end: next ? Date.parse(next.start) : this.#endOf(at), total: bucket.success + bucket.failure + bucket.denied };
    });
    this.brush = undefined;
    this.pointed = -1;
  }

  get #interval(): number {
    return (this.answer?.interval_seconds ?? 1) * 1000;
  }

  /** Where the last bar ends: the server's keep to the clock when they are longer than an hour. */
  #endOf(at: number): number {
    return this.#interval * 24 > DAY_MS ? fromWall(toWall(at, this.zone) + this.#interval, this.zone) : at + this.#interval;
  }

  #format(at: number): string {
    return this.app.i18n.dates(this.zone, this.#interval >= DAY_MS ? { day: 'numeric', month: 'short' }
      : { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', ...(this.#interval < 60_000 && { second: '2-digit' }) }).format(at);
  }

  #span(from: number, to = from): string {
    const { t } = this;
    const bars = this.#bars.slice(Math.min(from, to), Math.max(from, to) + 1);
    const sum = (name: 'total' | 'failure' | 'denied') => bars.reduce((all, bar) => all + bar[name], 0);
    const day = this.#interval === DAY_MS && bars.length === 1;
    return [
      day ? this.#format(bars[0]!.at) : `${this.#format(bars[0]!.at)} – ${this.#format(bars.at(-1)!.end)}`,
      t('{n} event|{n} events', { n: sum('total') }),
      sum('failure') ? t('{n} failed|{n} failed', { n: sum('failure') }) : '',
      sum('denied') ? t('{n} denied|{n} denied', { n: sum('denied') }) : '',
    ].filter(Boolean).join(' · ');
  }

  #at(event: PointerEvent): number {
    const box = this.renderRoot.querySelector('svg.plot')!.getBoundingClientRect();
    return Math.max(0, Math.min(this.#bars.length - 1, Math.floor(((event.clientX - box.left) / box.width) * this.#bars.length)));
  }

  #choose(): void {
    if (!this.brush) return;
    const [a, b] = this.brush;
    const from = this.#bars[Math.min(a, b)]!.at;
    const to = this.#bars[Math.max(a, b)]!.end;
    this.brush = undefined;
    this.tell('zoom', { from, to });
  }

  #down = (event: PointerEvent): void => {
    if (event.button || !this.#bars.length) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#dragging = true;
    const at = this.#at(event);
    this.brush = [at, at];
    this.pointed = at;
  };

  #move = (event: PointerEvent): void => {
    if (!this.#bars.length) return;
    this.pointed = this.#at(event);
    if (this.#dragging && this.brush) this.brush = [this.brush[0], this.pointed];
  };

  #up = (): void => {
    if (this.#dragging) this.#choose();
    this.#dragging = false;
  };

  #key = (event: KeyboardEvent): void => {
    const last = this.#bars.length - 1;
    const to = {
      ArrowRight: this.pointed + 1, ArrowLeft: Math.max(0, this.pointed - 1), Home: 0, End: last,
    }[event.key];
    if (to !== undefined && last >= 0) {
      this.pointed = Math.max(0, Math.min(last, to));
      this.brush = event.shiftKey && this.brush ? [this.brush[0], this.pointed] : [this.pointed, this.pointed];
    } else if (event.key === 'Enter' && this.brush) {
      this.#choose();
    } else if (event.key === 'Escape' && (this.brush || this.outer)) {
      if (this.brush) this.brush = undefined;
      else this.tell('zoom-out');
      this.#dragging = false;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  override render() {
    const { t } = this;
    const bars = this.#bars;
    const summary = bars.length ? this.#span(0, bars.length - 1) : t('No events in this range');
    const shown = this.brush ?? (this.pointed >= 0 ? [this.pointed, this.pointed] as const : undefined);
    return html`${this.outer ? html`<button class="btn ghost small out" @click=${() => this.tell('zoom-out')}>${icon('minus')}${t('Zoom out')} · ${rangeLabel(this.app, this.outer, this.zone)}<kbd aria-hidden="true">Esc</kbd></button>` : nothing}
      <div class="plot-box ${this.loading ? 'loading' : ''}" role="group" tabindex="0"
        aria-label=${`${t('Events over time')}: ${summary}. ${t('Arrow keys choose a bar, with Shift a range, Enter zooms in, Escape zooms out.')}`}
        @keydown=${this.#key} @blur=${() => { if (!this.#dragging) { this.brush = undefined; this.pointed = -1; } }} @pointerleave=${() => !this.#dragging && (this.pointed = -1)}>
        ${this.width ? this.#plot() : nothing}
        ${this.#axis()}
        ${shown ? html`<div class="tip" .style=${this.#tipPlace(shown)}>${this.#span(shown[0], shown[1])}</div>` : nothing}
        <span class="sr" aria-live="polite">${shown && !this.#dragging ? this.#span(shown[0], shown[1]) : ''}</span>
      </div>
      ${this.#table()}`;
  }

  #plot() {
    const bars = this.#bars;
    const highest = Math.max(1, ...bars.map((bar) => bar.total));
    const step = this.width / Math.max(1, bars.length);
    const gap = step > 4 ? BAR_GAP_PX : step > 2 ? 0.5 : 0;
    const height = (count: number) => (count ? Math.max(2, (count / highest) * (HEIGHT_PX - 4)) : 0);
    const rect = (kind: string, i: number, base: number, high: number) =>
      svg`<rect class=${kind} x=${i * step + gap / 2} y=${HEIGHT_PX - base - high} width=${Math.max(0.5, step - gap)} height=${high} rx=${step > 6 ? 1.5 : 0}></rect>`;
    const brushed = this.brush && [Math.min(...this.brush), Math.max(...this.brush) + 1] as const;
    return html`<svg class="plot" dir="ltr" width=${this.width} height=${HEIGHT_PX} aria-hidden="true"
      @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up} @pointercancel=${this.#up}>
      <line class="ground" x1="0" x2=${this.width} y1=${HEIGHT_PX - 0.5} y2=${HEIGHT_PX - 0.5}></line>
      ${bars.map((bar, i) => {
        if (!bar.total) return nothing;
        const bad = bar.failure + bar.denied;
        const all = height(bar.total);
        const red = bad ? Math.min(all, Math.max(2, (bad / bar.total) * all)) : 0;
        return svg`${rect(i === this.pointed ? 'bar lit' : 'bar', i, red && red, all - red)}${red ? rect('bad', i, 0, red) : nothing}`;
      })}
      ${brushed ? svg`<rect class="brush" x=${brushed[0] * step + 0.5} y="0.5" width=${Math.max(2, (brushed[1] - brushed[0]) * step - 1)} height=${HEIGHT_PX - 1} rx="3"></rect>` : nothing}
    </svg>`;
  }

  /** Midnights and round hours, each where its bar starts. */
  #axis() {
    const bars = this.#bars;
    if (!bars.length || !this.width) return html`<div class="axis"></div>`;
    const [from, to] = [bars[0]!.at, bars.at(-1)!.end];
    const { at, step } = ticks(from, to, this.zone, ((to - from) / this.width) * LABEL_WIDTH_PX);
    const label = (instant: number, first: boolean) => this.app.i18n.dates(this.zone,
      step > 27 * DAY_MS ? { month: 'short', year: 'numeric' }
        : step >= DAY_MS ? { day: 'numeric', month: 'short' }
          : toWall(instant, this.zone) % DAY_MS === 0 ? { weekday: 'short', day: 'numeric', month: 'short' }
            : { ...(first && { weekday: 'short' }), hour: '2-digit', minute: '2-digit', ...(step < 60_000 && { second: '2-digit' }) }).format(instant);
    return html`<div class="axis" dir="ltr" aria-hidden="true">${at.map((instant, i) => {
      const bar = firstIndex(bars.length, (each) => bars[each]!.at > instant) - 1;
      const { at: start, end } = bars[bar]!;
      const x = ((bar + (instant - start) / (end - start)) / bars.length) * this.width;
      return x > this.width - LABEL_WIDTH_PX * 0.7 ? nothing : html`<time datetime=${new Date(instant).toISOString()} .style=${`left:${x}px`}>${label(instant, !i)}</time>`;
    })}</div>`;
  }

  #tipPlace([a, b]: readonly [number, number]): string {
    const middle = ((a + b + 1) / 2 / Math.max(1, this.#bars.length)) * 100;
    return middle > 50 ? `right:${100 - Math.min(98, middle)}%` : `left:${Math.max(0, middle)}%`;
  }

  /** The same figures for readers of text; long ones in steps, so that it stays readable. */
  #table() {
    const filled = this.#bars.filter((bar) => bar.total).slice(-TABLE_ROWS_MAX);
    const { t } = this;
    return html`<table class="sr"><caption>${t('Events over time')}</caption>
      <thead><tr>${[t('From'), t('Events'), t('Failed'), t('Denied')].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${filled.map((bar) => html`<tr><th scope="row">${this.#format(bar.at)}</th><td>${bar.total}</td><td>${bar.failure}</td><td>${bar.denied}</td></tr>`)}</tbody>
    </table>`;
  }

  static override styles = [controls, forms, css`
    :host { display: block; position: relative; min-inline-size: 0; }
    .plot-box { position: relative; border-radius: 4px; }
    .plot-box:focus-visible { outline-offset: 4px; }
    .loading { opacity: 0.55; transition: opacity 0.15s 0.15s; }
    .plot { display: block; touch-action: none; cursor: crosshair; overflow: visible; }
    .bar { fill: var(--_bar); }
    .bar.lit { fill: var(--_accent-fill); }
    .bad { fill: var(--_danger); }
    .ground { stroke: var(--_border); }
    .brush { fill: color-mix(in oklab, var(--_accent-fill) 18%, transparent); stroke: var(--_accent-fill); pointer-events: none; }
    .axis { position: relative; block-size: 20px; color: var(--_muted); font-size: 0.885em; line-height: 16px; white-space: nowrap; overflow: clip; }
    .axis time { position: absolute; inset-block-start: 0; padding: 4px 0 0 4px; border-inline-start: 1px solid var(--_border); }
    .tip {
      position: absolute; inset-block-end: calc(100% - 6px); z-index: 4; padding: 3px 8px; pointer-events: none; white-space: nowrap;
      background: var(--_raised); border: 1px solid var(--_control); border-radius: 6px; font-size: 0.925em;
    }
    .out { margin-inline-start: -10px; color: var(--_muted); }
  `];
}
