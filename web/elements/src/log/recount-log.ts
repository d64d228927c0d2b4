/** `<recount-log>`: the log page. Holds the view, asks the server, and lets the pieces show the answers. */
import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { Problem, type Me } from '../base/client.js';
import { RecountElement } from '../base/element.js';
import { icon } from '../base/icons.js';
import { define } from '../base/part.js';
import { eventsParams, type EventsPage, type EventsQuery, type HistogramAnswer } from '../model/api.js';
import { isOwn, partyName, timeOf, type LogEvent } from '../model/event.js';
import { PagedLog } from '../model/paged-log.js';
import { parseRange, writeRange, zoneName, type Range } from '../model/time.js';
import { addressOf, currentParams, DEFAULT_RANGE, defaultView, readView, sound, writeView, type Persist, type View } from '../model/view.js';
import { partyKey, zoneShort, type Pick, type PickAct } from './cells.js';
import './filter-bar.js';
import './time-field.js';
import './event-table.js';
import type { EventDetail, RelatedQuery } from './detail.js';
import type { EventTable, PickRequest } from './event-table.js';
import type { FilterBar } from './filter-bar.js';
import type { Live } from './live.js';
import type { LogMenus } from './log-menus.js';
import type { SavedView, SavedViews } from './saved-views.js';
import type { TimeField } from './time-field.js';
import { lettersOff } from './letters.js';
import { logStyles } from './log-styles.js';

/** What is in view beside the list comes behind its first rows; the rest when it is first needed. */
const counts = () => import('./counts.js');
const later = () => import('./later.js');

const SKELETON_DELAY_MS = 150;
const RETRY_MS = 3000;

/**
 * The audit log of one tenant.
 *
 * @fires recount-event-opened - an event was opened; `detail` is `{ id, title }`, or null when it was closed
 * @csspart toolbar - the line with filter, range, live, views and export
 * @csspart row - a row of the list
 */
@define('recount-log')
export class RecountLog extends RecountElement {
  /** Where the view is kept: `hash` (default), `query`, or `none`. */
  @property() persist: Persist = 'hash';
  @property({ reflect: true }) density: 'cosy' | 'compact' = 'cosy';
  /** Single keys work anywhere on the page, not only with the focus inside; for pages that are the log. */
  @property({ type: Boolean, attribute: 'page-keys' }) pageKeys = false;

  @state() private view: View = defaultView();
  @state() private me?: Me;
  @state() private histogram?: HistogramAnswer;
  @state() private counting = false;
  /** Events in the range without the filter. */
  @state() private inRange?: HistogramAnswer;
  @state() private open?: LogEvent;
  @state() private openMissing = false;
  @state() private live: 'off' | 'on' | 'lost' = 'off';
  @state() private waiting = 0;
  @state() private slow = false;
  /** Whether nothing was sent yet; undefined while that is being found out. */
  @state() private none?: boolean = false;
  @state() private version = 0;
  @state() private offline = !navigator.onLine;
  @query('recount-filter-bar') private filterBar!: FilterBar;
  @query('recount-time-field') private timeField!: TimeField;
  @query('recount-event-table') private table?: EventTable;
  @query('recount-event-detail') private detail?: EventDetail;
  @query('recount-saved-views') private savedViews!: SavedViews;
  @query('recount-log-menus') private menus!: LogMenus;

  #log?: PagedLog;
  #range: Range = { open: true };
  /** Display names of ids seen in events, for chips and suggestions. */
  #names = new Map<string, string>();
  /** How many rows names were taken from. */
  #learned = 0;
  #follower?: Live;
  #counts?: AbortController;
  /** Rows that came while the counts were being made, which may hold them or not. */
  #uncounted: LogEvent[] = [];
  #skeletonTimer = 0;
  #retryTimer = 0;
  #started = false;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.#fromAddress);
    addEventListener('online', this.#connection);
    addEventListener('offline', this.#connection);
    document.addEventListener('keydown', this.#key);
  }

  override disconnectedCallback(): void {
    removeEventListener('popstate', this.#fromAddress);
    removeEventListener('online', this.#connection);
    removeEventListener('offline', this.#connection);
    document.removeEventListener('keydown', this.#key);
    this.#stopLive();
    clearTimeout(this.#retryTimer);
    super.disconnectedCallback();
  }

  // Session and view

  protected override sessionChanged(): void {
    if (!this.#started) {
      this.#started = true;
      this.view = readView(currentParams(this.persist));
      void this.#startView();
    }
    void this.context.client.me().then((me) => (this.me = me), () => {});
    this.#reload();
    if (this.view.event) void this.#openById(this.view.event);
  }

  /** Without a view in the address, the person's default view; with a saved one, that one. */
  async #startView(): Promise<void> {
    const params = currentParams(this.persist);
    await this.updateComplete;
    await counts();
    const views = await this.savedViews.load().catch(() => []);
    if (['filter', 'time', 'event', 'view', 'cols', 'order'].some((name) => params.has(name))) return;
    const start = views.find((saved) => saved.default);
    if (start && !writeView(this.view, new URLSearchParams()).size) this.#apply(start, true);
  }

  async #reloadSession(): Promise<void> {
    if (!this.askReload()) return;
    const { client } = this.context;
    await client.me().then((me) => (this.me = me), () => {});
    if (!client.expired) this.#reload();
  }

  #apply(saved: SavedView, quietly = false): void {
    this.#change(sound({ ...defaultView(), ...saved.view, saved: saved.id }), quietly);
  }

  /** Changes the view: into the address (a step that Back undoes, unless `quietly`) and onto the screen. */
  #change(change: Partial<View>, quietly = false): void {
    const before = this.view;
    this.view = { ...before, ...change };
    if (this.persist !== 'none') {
      const address = addressOf(writeView(this.view, currentParams(this.persist)), this.persist);
      if (address !== location.href) history[quietly ? 'replaceState' : 'pushState'](history.state, '', address);
    }
    this.#react(before);
  }

  #fromAddress = (): void => {
    if (this.persist === 'none') return;
    const before = this.view;
    this.view = readView(currentParams(this.persist));
    this.#react(before);
  };

  #react(before: View): void {
    const { view } = this;
    if (['filter', 'range', 'zone', 'order'].some((name) => view[name as keyof View] !== before[name as keyof View])) this.#reload();
    if (view.event !== before.event) {
      if (view.event) void this.#openById(view.event);
      else this.#closed();
    }
  }

  get #zone(): string {
    return zoneName(this.view.zone);
  }

  // Loading

  /** Asks for the view's events and counts afresh. */
  #reload(): void {
    const range = parseRange(this.view.range, this.#zone, Date.now());
    this.#range = typeof range === 'string' ? (parseRange(DEFAULT_RANGE, this.#zone, Date.now()) as Range) : range;
    const { client } = this.context;
    // Nothing new enters a range that has ended, and nothing goes on top of the oldest first.
    const wanted = this.live !== 'off' && this.#range.open && this.view.order === 'desc';
    this.#stopLive();
    this.none = false;
    this.#counts?.abort();
    this.counting = true;
    this.#log?.close();
    const query: EventsQuery = { filter: this.view.filter, from: this.#range.from, to: this.#range.to, order: this.view.order };
    this.#learned = 0;
    const log = (this.#log = new PagedLog(client, query, () => this.#changed(log)));
    clearTimeout(this.#skeletonTimer);
    this.slow = false;
    this.#skeletonTimer = window.setTimeout(() => (this.slow = true), SKELETON_DELAY_MS);
    // The tail is open before list and counts are read, so that nothing falls between them.
    const ready = wanted ? this.#startLive(log) : Promise.resolve();
    void ready.then(() => {
      if (log !== this.#log) return;
      void this.#count(query);
      return log.more();
    }).then(() => {
      clearTimeout(this.#skeletonTimer);
      if (log !== this.#log) return;
      if (log.problem) this.#failed(log.problem);
      else void this.#lookForAny(log);
    });
  }

  /** A server that can't be reached is asked again until it can. */
  #failed(problem: Problem): void {
    this.emitError(problem);
    clearTimeout(this.#retryTimer);
    if (problem.status === 0) this.#retryTimer = window.setTimeout(() => this.#connection(), RETRY_MS);
  }

  #changed(log: PagedLog): void {
    if (log !== this.#log) return;
    this.version++;
    while (this.#learned < log.count) this.#learn(log.at(this.#learned++));
  }

  /** Where there are only Recount's own events (of opening this page, for one), the log may as well be empty. */
  async #lookForAny(log: PagedLog): Promise<void> {
    for (let row = 0; row < log.count; row++) if (!isOwn(log.at(row)!)) return;
    this.none = undefined;
    const sent = await this.context.client.get<EventsPage>('/v1/events', { filter: '-source:recount', limit: 1 }).catch(() => undefined);
    if (log === this.#log) this.none = sent?.data.length === 0;
  }

  #learn(event: LogEvent | undefined): void {
    if (!event) return;
    for (const party of [event.actor, ...(event.targets ?? [])]) this.#names.set(partyKey(party), partyName(party));
  }

  async #count(query: EventsQuery): Promise<void> {
    const { signal } = (this.#counts = new AbortController());
    const ask = (filter: string) => this.context.client.get<HistogramAnswer>('/v1/events/histogram', { ...eventsParams({ ...query, filter }), zone: this.#zone }, signal);
    this.counting = true;
    this.#uncounted = [];
    try {
      const [matching, all] = await Promise.all([ask(query.filter), query.filter ? ask('').catch(() => undefined) : undefined]);
      this.histogram = matching;
      this.inRange = all;
    } catch {
      if (!signal.aborted) this.histogram = this.inRange = undefined;
    } finally {
      if (!signal.aborted) {
        this.counting = false;
        this.#countIn(this.#uncounted);
      }
    }
  }

  /** Adds rows of the log's end to the counts. */
  #countIn(events: LogEvent[]): void {
    if (this.counting) this.#uncounted.push(...events);
    else if (events.length) {
      const counted = this.histogram && this.#follower?.countedIn(this.histogram, events);
      if (counted) this.histogram = counted;
      else void this.#count(this.#log!.query);
    }
  }

  #connection = (): void => {
    this.offline = !navigator.onLine;
    if (this.#log?.problem?.status === 0 && this.isConnected) this.#reload();
  };

  // Live

  #toggleLive(): void {
    if (this.live !== 'off') {
      this.#stopLive();
      return;
    }
    const range = parseRange(this.view.range, this.#zone, Date.now());
    if (this.view.order === 'asc' || (typeof range !== 'string' && !range.open)) {
      this.live = 'on';
      this.#change({ order: 'desc', range: DEFAULT_RANGE });
    } else {
      this.live = 'on';
      this.#reload();
    }
  }

  /** Follows the log; fulfilled once every event from then on is seen, or it is plain that none is. */
  async #startLive(log: PagedLog): Promise<void> {
    this.live = 'on';
    const { Live, LIVE_ROWS_MAX } = await later();
    if (log !== this.#log) return;
    await new Promise<void>((opened) => {
      const live: Live = (this.#follower = new Live(this.context.client, this.view.filter, {
        ready: () => log.count > 0 || log.complete,
        atTop: () => !this.table || this.table.atTop,
        inRange: (event) => this.#range.from === undefined || timeOf(event) >= this.#range.from,
        listed: (event) => log.indexOf(event.id) >= 0,
        show: (events) => {
          for (const event of events) this.#learn(event);
          if (log.arrived + events.length > LIVE_ROWS_MAX) return this.#reload();
          if (!events.every(isOwn)) this.none = false;
          log.insert(events);
          this.#countIn(events);
        },
        count: (events) => this.#countIn(events),
        connected: (open) => {
          this.live = open ? 'on' : 'lost';
          opened();
        },
        lostPlace: () => this.#reload(),
        failed: (problem) => {
          this.#stopLive();
          this.#say(problem.detail);
          opened();
        },
        changed: () => (this.waiting = live.waiting),
      }));
    });
  }

  #showWaiting = (): void => {
    this.table?.scrollToTop();
    this.#follower?.flush(true);
  };

  #stopLive(): void {
    this.#follower?.stop();
    this.#follower = undefined;
    this.waiting = 0;
    this.live = 'off';
  }

  // The open event

  #openEvent(event: LogEvent, quietly = false): void {
    this.open = event;
    this.openMissing = false;
    if (this.view.event !== event.id) this.#change({ event: event.id }, quietly);
  }

  async #openById(id: string): Promise<void> {
    if (this.open?.id === id) return;
    const row = this.#log?.indexOf(id) ?? -1;
    const known = row >= 0 ? this.#log!.at(row) : undefined;
    if (known) return this.#openEvent(known);
    try {
      const event = await this.context.client.get<LogEvent>(`/v1/events/${encodeURIComponent(id)}`);
      if (this.view.event === id) this.#openEvent(event);
    } catch (error) {
      if (this.view.event !== id) return;
      this.open = undefined;
      this.openMissing = error instanceof Problem && error.status === 404;
    }
  }

  #closed(): void {
    if (!this.open && !this.openMissing) return;
    this.open = undefined;
    this.openMissing = false;
    this.emit('recount-event-opened', null);
    void this.updateComplete.then(() => this.table?.focusActive());
  }

  async #openFromRow(event: LogEvent): Promise<void> {
    const stepping = !!this.open;
    this.#openEvent(event, stepping);
    await this.updateComplete;
    if (stepping) return;
    await later();
    await this.detail?.updateComplete;
    this.detail?.focus();
  }

  #link(): string {
    return addressOf(writeView(this.view, currentParams(this.persist)), this.persist === 'none' ? 'hash' : this.persist);
  }

  // Values

  #pickRequested = (event: CustomEvent<PickRequest>): void => {
    const { pick, anchor, act } = event.detail;
    if (act) void this.#pickAct(pick, act);
    else void later().then(() => this.menus.openPick(pick, anchor));
  };

  async #pickAct(pick: Pick, act: PickAct): Promise<void> {
    if (pick.label) this.#names.set(pick.value, pick.label);
    if (act === 'copy') void this.#copy(pick.value);
    else if (pick.field === 'time') this.#cut(Date.parse(pick.value), act);
    else if (pick.field !== undefined) this.#change({ filter: (await later()).withValue(this.view.filter, pick.field, pick.value, act === 'out') });
  }

  /** Keeps what came since (and at) an instant, or until then. */
  #cut(at: number, act: PickAct): void {
    const { from, to } = this.#range;
    this.#change({ range: act === 'for' ? writeRange(at, to) : writeRange(from, at + 1), zoomed: [...this.view.zoomed, this.view.range] });
  }

  async #copy(text: string): Promise<void> {
    await (await later()).copyText(text);
    this.#say(this.t('Copied'));
  }

  #say(text: string, stays?: boolean): void {
    void later().then(() => this.menus.say(text, stays));
  }

  // Keys

  #key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath() as HTMLElement[];
    if (!path.includes(this) && !(this.pageKeys && (path[0] === document.body || path[0] === document.documentElement))) return;
    if (path[0]?.matches?.('input, select, textarea, [popover] *, dialog *') || !this.checkVisibility()) return;
    const acts: Record<string, () => void> = {
      '/': () => this.filterBar.focus(),
      '?': () => void later().then(() => this.menus.openHelp()),
      t: () => void this.timeField.open(),
      z: () => this.#change({ zone: this.view.zone === 'UTC' ? 'local' : 'UTC' }),
      l: () => this.#toggleLive(),
      r: () => this.#reload(),
      v: () => void counts().then(() => this.savedViews.open()),
      e: () => this.#openExport(),
      c: () => void this.detail?.copyLink(),
      j: () => void this.table?.move(1).then(() => this.table?.focusActive()),
      k: () => void this.table?.move(-1).then(() => this.table?.focusActive()),
      ArrowDown: () => void this.table?.move(1),
      ArrowUp: () => void this.table?.move(-1),
      Escape: () => (this.view.event ? this.#change({ event: undefined }) : this.#zoomOut()),
    };
    const act = acts[event.key];
    if (!act || (event.key.length < 2 && lettersOff())) return;
    event.preventDefault();
    act();
  };

  #zoomOut = (): void => {
    const zoomed = [...this.view.zoomed];
    const range = zoomed.pop();
    if (range !== undefined) this.#change({ range, zoomed });
  };

  async #openExport(): Promise<void> {
    if (!this.#canExport) return;
    await later();
    await this.menus.updateComplete;
    void this.menus.openExport();
  }

  get #canExport(): boolean {
    return !this.me || this.me.scopes.some((scope) => scope === 'exports:write' || scope === 'operator');
  }

  // Rendering

  /** Whether something stands in the list's place or beside it that only comes when needed. */
  get #rare(): boolean {
    const log = this.#log;
    return !!log?.problem || !!this.none || !!log?.complete && !log.count || !!this.open || this.openMissing || this.expired || this.offline || this.histogram?.exact === false;
  }

  protected override updated(changed: PropertyValues): void {
    if (this.#rare) void later();
    if (changed.has('view') && this.view.range && typeof parseRange(this.view.range, this.#zone, Date.now()) === 'string') this.#say(this.t('The range could not be read; showing the last 30 days.'), true);
  }

  override render() {
    const { t, view, context } = this;
    const log = this.#log;
    if (!log) return nothing;
    const zone = this.#zone;
    const blocked = log.problem && !log.count ? log.problem : undefined;
    const filterProblem = blocked?.status === 400 && view.filter ? blocked : undefined;
    return html`
      <div class="page">
        <div class="toolbar" part="toolbar" role="search" aria-label=${t('Events')}>
          <recount-filter-bar .app=${context} .filter=${view.filter} .span=${this.#range} .names=${this.#names} .problem=${filterProblem}
            @filter-change=${(event: CustomEvent<string>) => this.#change({ filter: event.detail })}></recount-filter-bar>
          <recount-time-field .app=${context} .range=${view.range} .zone=${view.zone} .zoneLabel=${zoneShort(context.i18n, zone, Date.now())}
            @range-change=${(event: CustomEvent<string>) => this.#change({ range: event.detail, zoomed: [] })}
            @zone-change=${(event: CustomEvent<string>) => this.#change({ zone: event.detail })}></recount-time-field>
          <button class="btn live ${this.live}" aria-pressed=${this.live !== 'off'} @click=${() => this.#toggleLive()}><span class="dot"></span>${this.live === 'lost' ? t('Reconnecting…') : t('Live')}</button>
          <recount-saved-views .app=${context} .view=${view} @apply=${(event: CustomEvent<SavedView>) => this.#apply(event.detail)} @saved=${(event: CustomEvent<string>) => this.#change({ saved: event.detail }, true)}></recount-saved-views>
          ${this.#canExport ? html`<button class="btn" @click=${() => this.#openExport()}>${icon('download')}<span>${t('Export')}</span></button>` : nothing}
        </div>
        <recount-log-banner .app=${context} .offline=${this.offline && log.count > 0} .expired=${this.expired && log.count > 0} .histogram=${this.histogram} .zone=${zone} @retry=${() => this.#reloadSession()}></recount-log-banner>
        <div class="split ${this.open || this.openMissing ? 'opened' : ''}">
          <div class="main">
            ${this.none && !view.filter ? nothing : html`<recount-histogram .app=${context} .answer=${this.histogram} .zone=${zone} .outer=${view.zoomed.at(-1)} .loading=${this.counting}
              @zoom=${({ detail: { from, to } }: CustomEvent<{ from: number; to: number }>) => this.#change({ range: writeRange(from, to), zoomed: [...view.zoomed, view.range] })}
              @zoom-out=${this.#zoomOut}></recount-histogram>
            <recount-status-line .app=${context} .view=${view} .histogram=${this.histogram} .inRange=${this.inRange} .density=${this.density}
              @outcome=${(event: CustomEvent<string>) => this.#pickAct({ field: 'outcome', value: event.detail }, 'for')} @reload=${() => this.#reload()}
              @copy-link=${() => this.#copy(this.#link())} @columns=${(event: CustomEvent<Element>) => later().then(() => this.menus.openColumns(event.detail))}
              @zone-change=${(event: CustomEvent<string>) => this.#change({ zone: event.detail })} @help=${() => later().then(() => this.menus.openHelp())}
              @density=${() => (this.density = this.density === 'compact' ? 'cosy' : 'compact')}></recount-status-line>`}
            <div class="frame">${this.#body(log, zone, blocked)}
              ${this.waiting ? html`<button class="btn small primary pill" @click=${this.#showWaiting}>${icon('up')}<bdi>${t('{n} new|{n} new', { n: this.waiting })}</bdi></button>` : nothing}
            </div>
          </div>
          ${this.#side(log)}
        </div>
      </div>
      <recount-log-menus .app=${context} .columns=${view.columns} .rowsMax=${this.me?.limits?.export_inline_rows_max} .subject=${{
        query: log.query, zone: view.zone, columns: view.columns, range: this.#range,
        rows: this.histogram?.total ?? log.count, exact: this.histogram?.exact ?? log.complete,
      }} @act=${({ detail: { pick, act } }: CustomEvent<{ pick: Pick; act: PickAct }>) => this.#pickAct(pick, act)}
        @columns-change=${(event: CustomEvent<string[]>) => this.#change({ columns: event.detail })}></recount-log-menus>`;
  }

  #body(log: PagedLog, zone: string, blocked: Problem | undefined) {
    const { t, view, context } = this;
    if (blocked) return html`<recount-problem .app=${context} .problem=${blocked} @retry=${() => (blocked.status === 401 ? this.#reloadSession() : this.#reload())}></recount-problem>`;
    if (this.none === undefined || (!log.count && (log.loading || !log.complete))) return this.slow ? skeleton(t('Loading…')) : nothing;
    if (!log.count || (this.none && !view.filter)) {
      return html`<recount-no-match .none=${this.none} @live=${() => this.#toggleLive()} .app=${context} .query=${log.query} @filter-change=${(event: CustomEvent<string>) => this.#change({ filter: event.detail })} @range-change=${(event: CustomEvent<string>) => this.#change({ range: event.detail, zoomed: [] })}></recount-no-match>`;
    }
    return html`<recount-event-table exportparts="row" .app=${context} .log=${log} .version=${this.version} .columns=${view.columns} .zone=${zone} .zoneLabel=${zoneShort(context.i18n, zone, Date.now())} .selected=${this.open?.id ?? ''} .density=${this.density}
      @need-more=${() => log.more()} @open=${(event: CustomEvent<LogEvent>) => this.#openFromRow(event.detail)} @pick=${this.#pickRequested}
      @sort=${() => this.#change({ order: view.order === 'asc' ? 'desc' : 'asc' })} @scrolled=${() => this.waiting && this.table?.atTop && this.#follower?.flush()}>
      <div slot="end" class="end">${log.problem ? html`<span class="danger">${t('More rows could not be loaded.')}</span> ${log.problem.requestId ? html`<code>${log.problem.requestId}</code>` : nothing}
        <button class="link" @click=${() => log.more()}>${t('Try again')}</button>` : log.complete ? html`<span class="muted">${t('The end: {n} event|The end: {n} events', { n: log.count })}</span>` : html`<span class="muted">${t('Loading…')}</span>`}</div>
    </recount-event-table>`;
  }

  #side(log: PagedLog) {
    const { t, context } = this;
    if (this.openMissing) {
      return html`<aside class="side" aria-label=${t('Event details')}><recount-problem .app=${context} .problem=${new Problem(404, '')} @retry=${() => this.#change({ event: undefined })}></recount-problem></aside>`;
    }
    if (!this.open) return nothing;
    const row = log.indexOf(this.open.id);
    const total = this.histogram?.exact === false || !this.histogram ? undefined : this.histogram.total;
    return html`<aside class="side" aria-label=${t('Event details')}><recount-event-detail .app=${context} .event=${this.open} .zone=${this.#zone} .outside=${row < 0 && !log.loading && log.complete}
      .place=${row < 0 ? '' : total === undefined ? context.i18n.number(row + 1) : t('{i} of {n}', { i: row + 1, n: total })}
      @step=${(event: CustomEvent<number>) => this.table?.move(event.detail)} @close=${() => this.#change({ event: undefined })} @pick=${this.#pickRequested}
      @shown=${(event: CustomEvent<string>) => this.emit('recount-event-opened', { id: this.open!.id, title: event.detail })}
      @copy-link=${() => this.#copy(this.#link())} @open=${(event: CustomEvent<LogEvent>) => this.#openEvent(event.detail)}
      @related=${({ detail }: CustomEvent<RelatedQuery>) => this.#change({ filter: detail.filter, range: detail.range ?? this.view.range, zoomed: [] })}></recount-event-detail></aside>`;
  }

  static override styles = logStyles;
}

const SKELETON_ROWS = 12;
const skeleton = (label: string) => html`<div class="skeleton" role="status" aria-label=${label}>${Array.from({ length: SKELETON_ROWS }, () => html`<div><i></i><i></i><i></i><i></i></div>`)}</div>`;
