/** The list: native scrolling over any number of rows with a few dozen in the document, and a keyboard for all of it. */
import { css, html, nothing, type PropertyValues } from 'lit';
import { property, state } from '../base/decorators.js';
import { icon } from '../base/icons.js';
import { define, Part } from '../base/part.js';
import { controls } from '../base/look.js';
import { plain } from '../base/text.js';
import { capital, type LogEvent } from '../model/event.js';
import { firstIndex, type PagedLog } from '../model/paged-log.js';
import { DAY_MS, dayStart } from '../model/time.js';
import { cell, columnLabel, columnTrack, type Pick, type PickAct } from './cells.js';
import { glyphs } from './glyphs.js';

const ROW_PX = { cosy: 36, compact: 28 } as const;
const HEAD_PX = 32;
const DAY_PX = 26;
const OVERSCAN_ROWS = 4;
/** How near the end of what was read the next page is asked for. */
const AHEAD_ROWS = 60;

export interface PickRequest {
  pick: Pick;
  anchor: Element;
  /** What was asked for directly, without the menu. */
  act?: PickAct;
}

@define('recount-event-table')
export class EventTable extends Part {
  @property({ attribute: false }) log!: PagedLog;
  /** Counts every change of `log`, which is mutable. */
  @property({ attribute: false }) version = 0;
  @property({ attribute: false }) columns: string[] = [];
  @property() zone = 'UTC';
  @property() zoneLabel = '';
  @property() selected = '';
  @property({ reflect: true }) density: 'cosy' | 'compact' = 'cosy';

  @state() private top = 0;
  @state() private height = 0;
  /** The row that the keyboard is on. */
  @state() private active = 0;
  #activeCell = -1;
  #activeId?: string;
  /** The first row of each day, before which stands its heading. */
  #days: number[] = [];
  #indexed = 0;
  #arrived = 0;
  #day?: [number, number];
  #scroller?: HTMLElement;
  #observer = new ResizeObserver(([entry]) => (this.height = entry!.contentRect.height));

  protected override firstUpdated(): void {
    this.#scroller = this.renderRoot.querySelector<HTMLElement>('.scroller')!;
    this.#observer.observe(this.#scroller);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.#scroller) return;
    this.#observer.observe(this.#scroller);
    this.top = this.#scroller.scrollTop;
  }

  override disconnectedCallback(): void {
    this.#observer.disconnect();
    super.disconnectedCallback();
  }

  /** Whether the newest rows are in view, so that new ones may move the list. */
  get atTop(): boolean {
    return this.top < this.#row;
  }

  scrollToTop(): void {
    this.#scroller?.scrollTo({ top: 0 });
  }

  get #row(): number {
    return ROW_PX[this.density];
  }

  protected override willUpdate(changed: PropertyValues): void {
    const replaced = changed.has('log');
    if (replaced) {
      this.active = 0;
      if (changed.get('log')) this.#scroller?.scrollTo({ top: 0 });
    }
    const arrived = this.log.arrived - this.#arrived;
    if (!replaced && arrived && (this.active || !this.atTop)) {
      const now = this.#activeId ? this.log.indexOf(this.#activeId) : -1;
      this.active = now < 0 ? this.active + arrived : now;
    }
    if (replaced || arrived || changed.has('zone')) {
      this.#days = [];
      this.#indexed = 0;
      this.#day = undefined;
      this.#arrived = this.log.arrived;
    }
    for (; this.#indexed < this.log.count; this.#indexed++) {
      const at = this.log.timeAt(this.#indexed);
      if (this.#day && at >= this.#day[0] && at < this.#day[1]) continue;
      const start = dayStart(at, this.zone);
      this.#day = [start, dayStart(start + 1.5 * DAY_MS, this.zone)];
      this.#days.push(this.#indexed);
    }
    if (changed.has('selected') && this.selected) {
      const index = this.log.indexOf(this.selected);
      if (index >= 0) this.active = index;
    }
    if (this.active >= this.log.count) this.active = Math.max(0, this.log.count - 1);
    this.#activeId = this.activeEvent?.id;
  }

  protected override updated(changed: PropertyValues): void {
    // Rows are reused by place, so the focus is put back on the row that it belongs to.
    if ((this.renderRoot as ShadowRoot).activeElement?.closest('[data-row]')) this.focusActive();
    if (changed.has('selected') && this.selected) this.#reveal();
    if (this.height && !this.log.problem && this.#rowAt(this.top + this.height) + AHEAD_ROWS > this.log.count) this.tell('need-more');
  }

  /** How many days start at or before a row. */
  #daysTo(row: number): number {
    return firstIndex(this.#days.length, (day) => this.#days[day]! > row);
  }

  /** Where rows and headings stand, from the top of the list. */
  #rowTop(row: number): number {
    return row * this.#row + this.#daysTo(row) * DAY_PX;
  }

  #dayTop(day: number): number {
    return this.#days[day]! * this.#row + day * DAY_PX;
  }

  /** The day at a place of the list. */
  #dayAt(y: number): number {
    return Math.max(0, firstIndex(this.#days.length, (day) => this.#dayTop(day) > y) - 1);
  }

  /** The row at a place of the list, or the one whose heading stands there. */
  #rowAt(y: number): number {
    const day = this.#dayAt(y);
    const row = (this.#days[day] ?? 0) + Math.max(0, Math.floor((y - this.#dayTop(day) - DAY_PX) / this.#row));
    return Math.min(row, this.log.count - 1);
  }

  /** Scrolls just enough to show the active row, clear of the lines that stay at the top. */
  #reveal(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const y = this.#rowTop(this.active);
    const room = scroller.clientHeight - HEAD_PX;
    if (y - DAY_PX < scroller.scrollTop) scroller.scrollTop = y - DAY_PX;
    else if (y + this.#row > scroller.scrollTop + room) scroller.scrollTop = y + 2 * this.#row - room;
    this.top = scroller.scrollTop;
  }

  /** Moves by rows; the open event follows when the details are open. */
  async move(by: number): Promise<void> {
    this.active = Math.max(0, Math.min(this.log.count - 1, this.active + by));
    this.#reveal();
    if (this.selected) this.#open();
    await this.updateComplete;
    if (this.matches(':focus-within')) this.focusActive();
  }

  /** Puts the keyboard on the active row (or its cell). */
  focusActive(): void {
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-row="${this.active}"]`);
    (row?.children[this.#activeCell] as HTMLElement | undefined ?? row)?.focus({ preventScroll: true });
  }

  get activeEvent(): LogEvent | undefined {
    return this.log.at(this.active);
  }

  #open(row = this.active): void {
    this.active = row;
    const event = this.log.at(row);
    if (event) this.tell('open', event);
  }

  #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.height / this.#row) - 2);
    const by = {
      ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -this.log.count, End: this.log.count,
    }[event.key];
    const sideways = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const act = ({ f: 'for', x: 'out', y: 'copy' } as const)[event.key];
    const onCell = this.#activeCell >= 0;
    if (by) {
      void this.move(by);
    } else if (sideways) {
      const step = getComputedStyle(this).direction === 'rtl' ? -sideways : sideways;
      this.#activeCell = Math.max(-1, Math.min(this.columns.length - 1, this.#activeCell + step));
      this.focusActive();
    } else if (event.key === 'Enter' && !(onCell && event.shiftKey)) {
      this.#open();
    } else if (onCell && (act || event.key === ' ' || event.key === 'ContextMenu' || event.key === 'Enter')) {
      const anchor = (this.renderRoot as ShadowRoot).activeElement;
      const pick = this.activeEvent && cell(this.columns[this.#activeCell]!, this.activeEvent, this.app.i18n, this.zone).pick;
      if (pick && anchor) this.tell<PickRequest>('pick', { pick, anchor, act });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  #click = (event: MouseEvent): void => {
    const path = event.composedPath() as Element[];
    const row = path.find((node) => node instanceof HTMLElement && node.dataset['row'] !== undefined) as HTMLElement | undefined;
    if (!row) return;
    const index = Number(row.dataset['row']);
    const at = this.log.at(index);
    const button = path.find((node) => node instanceof HTMLElement && node.dataset['column']) as HTMLElement | undefined;
    this.active = index;
    this.#activeCell = button ? this.columns.indexOf(button.dataset['column']!) : -1;
    if (!button) {
      if (!getSelection()?.toString()) this.#open(index);
      return;
    }
    const pick = at && cell(button.dataset['column']!, at, this.app.i18n, this.zone).pick;
    if (pick) this.tell<PickRequest>('pick', { pick, anchor: button });
  };

  override render() {
    const { t } = this;
    const first = Math.max(0, this.#rowAt(this.top) - OVERSCAN_ROWS);
    const last = Math.min(this.log.count, this.#rowAt(this.top + (this.height || 600)) + 1 + OVERSCAN_ROWS);
    const shown: number[] = [];
    for (let row = first; row < last; row++) shown.push(row);
    // The row with the keyboard stays in the document, or scrolling would drop the focus.
    if (this.active < this.log.count && (this.active < first || this.active >= last)) shown.push(this.active);
    const total = this.log.count + this.#days.length;
    const tracks = this.columns.map(columnTrack).join(' ');
    const oldest = this.log.query.order === 'asc';
    return html`
      <div class="scroller" @scroll=${(event: Event) => { this.top = (event.target as HTMLElement).scrollTop; this.tell('scrolled'); }}
        @keydown=${this.#key} @click=${this.#click} @focusin=${(event: FocusEvent) => { if ((event.target as HTMLElement).role === 'row') this.#activeCell = -1; }}>
        <div role="grid" aria-label=${t('Events')} aria-rowcount=${this.log.complete ? total + 1 : -1} .style=${`--tracks:${tracks}`}>
          <div role="row" class="head" aria-rowindex="1">${this.columns.map((column) => html`
            <div role="columnheader" class="cell" aria-sort=${column === 'time' ? (oldest ? 'ascending' : 'descending') : nothing}>
              ${column === 'time' ? html`<button @click=${() => this.tell('sort')} title=${oldest ? t('Oldest first') : t('Newest first')}>
                ${columnLabel(t, column)} <span class="zone">(${this.zoneLabel})</span><span class="order ${oldest ? 'up' : ''}">${icon('down')}</span></button>` : columnLabel(t, column)}
            </div>`)}</div>
          ${this.#pinned()}
          <div role="rowgroup" class="rows" .style=${`height:${this.log.count * this.#row + this.#days.length * DAY_PX}px`}>
            ${shown.map((row) => this.#item(row))}
          </div>
        </div>
        <slot name="end"></slot>
      </div>`;
  }

  /** The heading of the day in view, which stays at the top until the next one pushes it away. */
  #pinned() {
    const day = this.#dayAt(this.top);
    if (!this.#days.length) return nothing;
    const next = day + 1 < this.#days.length ? this.#dayTop(day + 1) - this.top : DAY_PX;
    return html`<div class="day pinned" aria-hidden="true" .style=${`transform:translateY(${Math.min(0, next - DAY_PX)}px)`}>${this.#dayName(this.log.timeAt(this.#days[day]!))}</div>`;
  }

  /** A row, and before the first of a day its heading. */
  #item(row: number) {
    const day = this.#daysTo(row) - 1;
    const heading = this.#days[day] === row;
    const place = (y: number) => `transform:translateY(${y}px)`;
    const event = this.log.at(row);
    const open = event && event.id === this.selected;
    return html`${heading ? html`<div role="row" class="day" aria-rowindex=${row + day + 2} .style=${place(this.#dayTop(day))}>
        <div role="rowheader" aria-colspan=${this.columns.length}>${this.#dayName(this.log.timeAt(row))}</div></div>` : nothing}
      <div role="row" part="row" class="item-row ${open ? 'open' : ''}" data-row=${row} aria-rowindex=${row + day + 3} aria-selected=${open ? 'true' : 'false'}
      tabindex=${row === this.active ? 0 : -1} .style=${place(this.#rowTop(row))}>
      ${this.columns.map((column) => {
        if (!event) return html`<div role="gridcell" class="cell"><span class="blank"></span></div>`;
        const { content, pick, title } = cell(column, event, this.app.i18n, this.zone);
        return html`<div role="gridcell" class="cell ${column}" tabindex="-1" title=${title ?? nothing}>${content}
          ${pick ? html`<button class="pick" tabindex="-1" data-column=${column} aria-label=${this.t('Filter or copy {value}', { value: plain(pick.label ?? pick.value) })}>${icon('filter')}</button>` : nothing}</div>`;
      })}
    </div>`;
  }

  #dayName(at: number): string {
    const { i18n } = this.app;
    const date = i18n.dates(this.zone, { dateStyle: 'full' }).format(at);
    const near = [i18n.t('Today'), i18n.t('Yesterday')][Math.round((dayStart(Date.now(), this.zone) - dayStart(at, this.zone)) / DAY_MS)];
    return near ? `${near}, ${date}` : capital(date);
  }

  static override styles = [controls, glyphs, css`
    :host { display: block; min-block-size: 0; min-inline-size: 0; --row: 36px; }
    :host([density='compact']) { --row: 28px; }
    .scroller { block-size: 100%; overflow: auto; overflow-anchor: none; scrollbar-width: thin; scrollbar-color: var(--_control) transparent; }
    [role='grid'] { min-inline-size: min-content; }
    .rows { position: relative; contain: layout style; }
    .head, .item-row { display: grid; grid-template-columns: var(--tracks); column-gap: 12px; padding-inline: 12px; block-size: var(--row); align-items: center; }
    .head { position: sticky; inset-block-start: 0; z-index: 2; background: var(--_surface); border-block-end: 1px solid var(--_border); color: var(--_muted); font-weight: 500; block-size: 32px; }
    .head button { display: inline-flex; align-items: center; gap: 4px; padding: 0; border: 0; background: none; font-weight: 500; cursor: pointer; white-space: nowrap; }
    .head button:hover { color: var(--_fg); }
    .order { display: inline-flex; } .order .icon { inline-size: 14px; block-size: 14px; } .order.up { rotate: 180deg; }
    .item-row, .day { position: absolute; inset-inline: 0; inset-block-start: 0; border-block-end: 1px solid var(--_border); }
    .day { display: flex; align-items: center; padding-inline: 12px; block-size: 26px; color: var(--_muted); font-size: 0.925em; font-weight: 500; background: var(--_surface); }
    .pinned { position: sticky; inset-block-start: 32px; z-index: 1; margin-block-end: -26px; }
    .item-row { cursor: default; }
    .item-row:hover { background: var(--_surface); }
    .item-row.open { background: var(--_accent-soft); box-shadow: inset 2px 0 var(--_accent-fill); }
    .item-row.open:dir(rtl) { box-shadow: inset -2px 0 var(--_accent-fill); }
    .item-row:focus-visible { outline-offset: -2px; }
    .cell { position: relative; display: flex; align-items: center; gap: 8px; min-inline-size: 0; block-size: 100%; white-space: nowrap; }
    .cell:focus-visible { outline-offset: -4px; }
    .cell > .mono { font-size: 0.925em; }
    .strong { font-weight: 500; }
    .blank { block-size: 8px; inline-size: 60%; border-radius: 4px; background: var(--_border); }
    .pick {
      position: absolute; inset-inline-end: 0; display: none; place-items: center; inline-size: 24px; block-size: 24px; padding: 0;
      border: 1px solid var(--_border); border-radius: 6px; background: var(--_raised); color: var(--_muted); cursor: pointer;
    }
    .pick .icon { inline-size: 13px; block-size: 13px; }
    .cell:hover > .pick, .cell:focus-within > .pick, .cell:focus > .pick { display: grid; }
    .pick:hover { color: var(--_accent); border-color: var(--_accent); }
    @media (hover: none) {
      .pick { display: grid; border: 0; background: none; opacity: 0.7; }
      .cell:has(> .pick) { padding-inline-end: 26px; }
    }
  `];
}
