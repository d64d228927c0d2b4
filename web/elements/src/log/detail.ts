/** One event in full: a sentence, what changed, who and where, what belongs to it, and the raw JSON. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property, state } from '../base/decorators.js';
import { icon } from '../base/more-icons.js';
import type { Message } from '../base/i18n.js';
import { agoText } from '../base/amounts.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import { copyButton, copyText } from '../base/clipboard.js';
import { plain, valueText } from '../base/text.js';
import { eventsParams, type EventsPage } from '../model/api.js';
import { diffChanges, type DiffLine } from '../model/diff.js';
import { capitalWords, outcomeOf, partyName, timeOf, type LogEvent, type Party } from '../model/event.js';
import { condition, memberField } from '../model/filter.js';
import { sentence } from '../model/sentence.js';
import { isoIn, writeRange } from '../model/time.js';
import { actorPick, clock, glyph, OUTCOMES, staffTag, targetPick, textPick, timePick, zoneShort, type Pick } from './cells.js';
import type { PickRequest } from './event-table.js';
import { glyphs } from './glyphs.js';

const COPIED_MS = 2000;
/** So many are listed; asked for is one more, to know whether there are, and the event itself. */
const RELATED_EVENTS_MAX = 6;
/** So long an event must be looked at before what belongs to it is counted: stepping through the list asks nothing. */
const RELATED_DELAY_MS = 400;
const NEAR_MS = 10 * 60_000;

/** A question about the neighbourhood of an event: a filter and, if it is about time, a range. */
export interface RelatedQuery {
  title: string;
  filter: string;
  range?: string;
}

@define('recount-event-detail')
export class EventDetail extends Part {
  @property({ attribute: false }) event!: LogEvent;
  @property() zone = 'UTC';
  @property() place = '';
  /** The event was opened by its link and is not among the rows. */
  @property({ type: Boolean }) outside = false;

  @state() private tab: 'overview' | 'related' | 'json' = 'overview';
  @state() private copied = '';
  @state() private related: Record<string, LogEvent[] | 'failed'> = {};
  #timer = 0;

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('h2')?.focus();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('event')) {
      this.related = {};
      this.tell('shown', sentence(this.event, this.app.i18n));
    }
    if (!changed.has('event') && !(changed.has('tab') && this.tab === 'related')) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      for (const query of this.#queries()) if (!Array.isArray(this.related[query.filter])) void this.#load(query);
    }, this.tab === 'related' ? 0 : RELATED_DELAY_MS);
  }

  override disconnectedCallback(): void {
    clearTimeout(this.#timer);
    super.disconnectedCallback();
  }

  /** How many other events belong to this one, once all answers are here. */
  get #relatedCount(): string {
    const found = Object.values(this.related).filter(Array.isArray) as LogEvent[][];
    if (found.length < this.#queries().length) return '';
    const more = found.some(({ length }) => length > RELATED_EVENTS_MAX);
    return this.app.i18n.number(new Set(found.flat().map(({ id }) => id)).size) + (more ? '+' : '');
  }

  /** Copies the event's own link; also from the keyboard. */
  async copyLink(): Promise<void> {
    this.tell('copy-link');
    await this.#confirm('link');
  }

  async #confirm(what: string): Promise<void> {
    this.copied = what;
    await new Promise((done) => setTimeout(done, COPIED_MS));
    if (this.copied === what) this.copied = '';
  }

  #queries(): RelatedQuery[] {
    const { t } = this;
    const { actor, targets = [], context = {} } = this.event;
    const at = timeOf(this.event);
    const queries: RelatedQuery[] = [
      { title: t('Same actor, 10 minutes around'), filter: condition('actor', actorPick(actor).value), range: writeRange(at - NEAR_MS, at + NEAR_MS) },
    ];
    for (const target of targets.slice(0, 1)) {
      queries.push({ title: t('Same target: {name}', { name: partyName(target) }), filter: condition('target', targetPick(target).value), range: 'all' });
    }
    if (context['request_id']) queries.push({ title: t('Same request'), filter: condition('request_id', context['request_id']), range: 'all' });
    if (context['session_id']) queries.push({ title: t('Same session'), filter: condition('session_id', context['session_id']), range: 'all' });
    return queries;
  }

  async #load({ filter, range }: RelatedQuery): Promise<void> {
    const [from, to] = range === 'all' ? [] : range!.split('..').map(Date.parse);
    const of = this.event;
    let answer: LogEvent[] | 'failed';
    try {
      answer = (await this.app.client.get<EventsPage>('/v1/events', { ...eventsParams({ filter, from, to }), limit: RELATED_EVENTS_MAX + 2 }))
        .data.filter((event) => event.id !== of.id);
    } catch {
      answer = 'failed';
    }
    if (this.event === of) this.related = { ...this.related, [filter]: answer };
  }

  override render() {
    const { t, event } = this;
    const { i18n } = this.app;
    const at = timeOf(event);
    const outcome = outcomeOf(event);
    const tabs = [['overview', t('Overview')], ['related', html`${t('Related')} <small>${this.#relatedCount}</small>`], ['json', t('JSON')]] as const;
    return html`
      <div class="bar">
        <button class="btn small square" title=${t('Previous event')} @click=${() => this.tell('step', -1)}>${icon('up')}</button>
        <button class="btn small square" title=${t('Next event')} @click=${() => this.tell('step', 1)}>${icon('down')}</button>
        <span class="muted grow clip"><bdi>${this.place}</bdi></span>
        <button class="btn small" @click=${() => this.copyLink()}>${icon(this.copied === 'link' ? 'check' : 'link')}${this.copied === 'link' ? t('Copied') : t('Copy link')}</button>
        <button class="btn small square" title=${t('Close')} @click=${() => this.tell('close')}>${icon('x')}</button>
      </div>
      <span class="sr" role="status">${this.copied ? t('Copied') : ''}</span>
      <div class="body" tabindex="0" role="region" aria-label=${t('Event details')}>
        <header>
          <h2 tabindex="-1" class="any"><bdi>${sentence(event, i18n)}</bdi></h2>
          <p class="muted"><time datetime=${event.occurred_at} title=${isoIn(at, this.zone)}>${i18n.dates(this.zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(at)},
            ${clock(i18n, at, this.zone)} ${zoneShort(i18n, this.zone, at)}</time> · <span class="ago">${agoText(i18n, at, Date.now())}${this.#pickButton(timePick(i18n, at, this.zone))}</span></p>
        </header>
        ${this.outside ? html`<p class="note">${icon('link')}<span>${t('This event is outside the current filter or range.')}</span></p>` : nothing}
        ${outcome === 'success' ? nothing : html`<p class="note bad">${icon('alert')}<span><strong>${t(OUTCOMES[outcome]!)}</strong>${event.reason ? html` – <bdi>${plain(event.reason)}</bdi>` : nothing}</span>${event.reason ? this.#pickButton({ field: 'reason', value: event.reason }) : nothing}</p>`}
        <div class="tabs" role="tablist" @keydown=${this.#tabKey}>${tabs.map(([name, label]) => html`
          <button role="tab" id=${`tab-${name}`} aria-selected=${this.tab === name} aria-controls="panel" tabindex=${this.tab === name ? 0 : -1} @click=${() => (this.tab = name)}>${label}</button>`)}</div>
        <div role="tabpanel" id="panel" aria-labelledby=${`tab-${this.tab}`}>${{ overview: () => this.#overview(), related: () => this.#related(), json: () => this.#json() }[this.tab]()}</div>
      </div>`;
  }

  #tabKey = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
    if (!step) return;
    const tabs = ['overview', 'related', 'json'] as const;
    this.tab = tabs[(tabs.indexOf(this.tab) + step) % 3]!;
    event.preventDefault();
    event.stopPropagation();
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${this.tab}`)?.focus());
  };

  #overview() {
    const { t, event } = this;
    const { context = {}, actor, targets = [] } = event;
    const lines = event.changes ? diffChanges(event.changes) : [];
    const field = (label: string, content: unknown, pick: Pick) => html`<div><dt>${label}</dt><dd>${content}${this.#pickButton(pick)}</dd></div>`;
    const text = (label: Message, name: string, value: string | undefined) =>
      (value ? field(t(label), html`<bdi class="any">${plain(value)}</bdi>`, { field: name, value }) : nothing);
    const code = (label: Message, name: string, value?: string) => (value ? field(t(label), html`<bdi class="mono any">${plain(value)}</bdi>`, { field: name, value }) : nothing);
    const received = Date.parse(event.received_at);
    return html`
      ${lines.length ? html`<section><h3>${t('Changes · {n} field|Changes · {n} fields', { n: lines.length })}</h3>
        <dl class="diff">${lines.map((line) => this.#change(line))}</dl></section>` : nothing}
      <section><h3>${t('Who and where')}</h3><dl>
        ${field(t('Actor'), html`${glyph(actor)}<bdi class="any">${partyName(actor)}</bdi>${staffTag(t, actor)}`, actorPick(actor))}
        ${actor.email === partyName(actor) ? nothing : text('Email', 'actor.email', actor.email)}
        ${code('IP address', 'ip', context['ip'])}
        ${text('Location', 'location', context['location'])}
        ${text('User agent', 'user_agent', context['user_agent'])}
      </dl></section>
      <section><h3>${t('What')}</h3><dl>
        ${code('Action', 'action', event.action)}
        ${targets.map((target: Party) => field(capitalWords(target.type), html`<bdi class="any">${partyName(target)}</bdi>`, targetPick(target)))}
        ${outcomeOf(event) === 'success' ? text('Reason', 'reason', event.reason) : nothing}
        ${code('Source', 'source', event.source)}
      </dl></section>
      ${this.#values(t('Tags'), 'tags', event.tags)}
      ${this.#values(t('Metadata'), 'metadata', event.metadata)}
      ${this.#values(t('Actor details'), '', actor.metadata)}
      ${targets.map((target) => this.#values(t('{name}: details', { name: partyName(target) }), '', target.metadata))}
      <section><h3>${t('Record')}</h3><dl>
        ${code('Event id', 'id', event.id)}
        ${code('Request id', 'request_id', context['request_id'])}
        ${code('Session id', 'session_id', context['session_id'])}
        ${code('Actor id', 'actor.id', actor.id)}
        ${text('Actor type', 'actor.type', actor.type)}
        ${field(t('Received'), html`<time class="mono" datetime=${event.received_at}>${isoIn(received, this.zone)}</time>`, { value: isoIn(received, this.zone) })}
      </dl></section>`;
  }

  /** One changed field: what went and what came. */
  #change({ path, field, parts, running, masked }: DiffLine) {
    const words = () => html`<p class="words any" dir="auto">${parts.map(({ kind, text }) => (kind === '=' ? text : kind === '+' ? html`<ins>${text}</ins>` : html`<del>${text}</del>`))}</p>${this.#pickButton(textPick(running))}`;
    const apart = () => parts.map(({ kind, text, value }) => html`<div class="line ${kind === '+' ? 'ins' : 'del'}">${kind === '+'
      ? html`<ins class="any"><b aria-hidden="true">+ </b><bdi>${text}</bdi></ins>` : html`<del class="any"><b aria-hidden="true">- </b><bdi>${text}</bdi></del>`}${this.#pickButton({ ...textPick(value), label: text })}</div>`);
    return html`<div><dt class="mono any"><span>${plain(path)}</span>${this.#pickButton({ field: 'change', value: field })}</dt><dd>${masked
      ? html`<span class="masked">•••••• <span class="muted">${this.t('changed, value hidden')}</span></span>` : running === undefined ? apart() : words()}</dd></div>`;
  }

  /** Members of a JSON object by their dotted paths; those of `tags` and `metadata` are fields of the language. */
  #values(title: string, root: string, object: unknown) {
    const leaves = flatten(object);
    if (!leaves.length) return nothing;
    return html`<section><h3>${title}</h3><dl>${leaves.map(([path, value], i) => html`
      <div><dt class="mono any">${path === leaves[i - 1]?.[0] ? '' : plain(path)}</dt><dd><bdi class="mono any">${plain(valueText(value))}</bdi>${
        this.#pickButton(root && !isObject(value) ? { field: memberField(root, path), value: valueText(value) } : textPick(value))}</dd></div>`)}</dl></section>`;
  }

  #pickButton(pick: Pick): TemplateResult {
    return html`<button class="pick" aria-label=${this.t('Filter or copy {value}', { value: plain(pick.label ?? pick.value) })} aria-haspopup="menu"
      @click=${(event: Event) => this.tell<PickRequest>('pick', { pick, anchor: event.currentTarget as Element })}>${icon('filter')}</button>`;
  }

  #related() {
    const { t } = this;
    return this.#queries().map((query) => {
      const found = this.related[query.filter];
      return html`<section><div class="row"><h3 class="grow clip">${query.title}</h3><button class="link" @click=${() => this.tell('related', query)}>${t('Show in list')}</button></div>
        ${found === undefined ? html`<p class="hint">${t('Loading…')}</p>` : found === 'failed' ? html`<p class="hint">${t('Could not be loaded.')}</p>`
          : found.length ? html`<ul class="near">${found.slice(0, RELATED_EVENTS_MAX).map((event) => html`<li><button class="item" @click=${() => this.tell('open', event)}>
            <time class="muted" datetime=${event.occurred_at}>${this.app.i18n.dates(this.zone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(timeOf(event))}</time>
            <span class="clip"><bdi>${sentence(event, this.app.i18n)}</bdi></span></button></li>`)}</ul>`
            : html`<p class="hint">${t('No other events.')}</p>`}</section>`;
    });
  }

  #json() {
    const text = JSON.stringify(this.event, undefined, 2);
    return html`<div class="json">${copyButton(this.t, this.copied === 'json', () => { void copyText(text); void this.#confirm('json'); })}
      <pre class="mono any" dir="ltr">${plain(text)}</pre></div>`;
  }

  static override styles = [controls, forms, glyphs, css`
    :host { display: flex; flex-direction: column; min-block-size: 0; background: var(--_raised); }
    .bar { display: flex; align-items: center; gap: 8px; padding: 12px 16px 8px; }
    .body { overflow: auto; padding: 4px 16px 24px; display: grid; gap: 12px; align-content: start; scrollbar-width: thin; scrollbar-color: var(--_control) transparent; }
    .body:focus-visible { outline-offset: -2px; }
    h2:focus-visible { outline: none; }
    header { display: grid; gap: 4px; }
    .ago { white-space: nowrap; }
    .tabs { display: flex; gap: 20px; border-block-end: 1px solid var(--_border); margin-block-start: 4px; }
    .tabs button { padding: 6px 0 8px; border: 0; border-block-end: 2px solid transparent; margin-block-end: -1px; background: none; color: var(--_muted); cursor: pointer; }
    .tabs small { font-size: 0.85em; line-height: 1; font-weight: 400; color: var(--_muted); }
    .tabs [aria-selected='true'] { color: var(--_fg); font-weight: 500; border-color: var(--_accent-fill); }
    [role='tabpanel'] { display: grid; grid-template-columns: minmax(0, 1fr); gap: 20px; padding-block-start: 4px; min-inline-size: 0; }
    section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; min-inline-size: 0; }
    h3 { color: var(--_muted); font-size: 0.925em; }
    dl { display: grid; gap: 2px; }
    dl > div { display: grid; grid-template-columns: minmax(96px, 30%) 1fr; gap: 12px; min-block-size: 24px; }
    dt { color: var(--_muted); padding-block: 2px; }
    dd { display: flex; align-items: flex-start; gap: 6px; min-inline-size: 0; padding-block: 2px; }
    dd .glyph { margin-block: -1px; }
    .pick { display: inline-grid; place-items: center; inline-size: 24px; block-size: 24px; margin-block: -2px; padding: 0; flex: none; border: 0; border-radius: 5px; background: none; color: var(--_muted); cursor: pointer; vertical-align: middle; }
    @media (hover: hover) {
      .pick:not(:focus-visible) { opacity: 0; }
      :is(dt, dd, p, .line):hover > .pick, p:hover .pick, dl:not(.diff) > div:hover .pick { opacity: 1; }
    }
    .pick .icon { inline-size: 13px; block-size: 13px; }
    .pick:hover { color: var(--_accent); background: var(--_accent-soft); }
    .diff { gap: 0; border: 1px solid var(--_border); border-radius: var(--_radius); overflow: hidden; background: var(--_bg); }
    .diff > div { gap: 0; grid-template-columns: minmax(96px, 32%) 1fr; }
    .diff > div + div { border-block-start: 1px solid var(--_border); }
    .diff dt { padding: 8px 10px; background: var(--_surface); font-size: 0.885em; border-inline-end: 1px solid var(--_border); }
    .diff > div { position: relative; }
    @media (hover: hover) {
      .diff dt .pick { position: absolute; inset: 5px auto auto calc(32% - 27px); background: var(--_surface); }
      .diff dt .pick:dir(rtl) { inset-inline: calc(32% - 27px) auto; }
    }
    .diff dd { display: grid; gap: 4px; padding: 6px; align-content: start; }
    .diff dd:has(.words) { grid-template-columns: 1fr auto; }
    ins, del { text-decoration: none; font-family: var(--_mono); font-size: 0.885em; }
    ins, .ins { color: var(--_ok); background: var(--_ok-soft); }
    del, .del { color: var(--_danger); background: var(--_danger-soft); }
    .line { display: flex; justify-content: space-between; padding-inline: 8px 2px; border-radius: 4px; white-space: pre-wrap; }
    .line > :first-child { background: none; }
    .line .pick { block-size: 20px; margin: 0; color: inherit; }
    .line b { font-weight: 400; }
    .words { padding: 2px 4px; font-family: var(--_mono); font-size: 0.885em; white-space: pre-wrap; }
    .words ins, .words del { font-size: 1em; border-radius: 3px; }
    .words del { text-decoration: line-through; }
    .masked { padding: 0 4px; }
    .near { border: 1px solid var(--_border); border-radius: var(--_radius); padding: 4px; background: var(--_bg); }
    .near time { flex: none; }
    .json { position: relative; }
    .json .btn { position: absolute; inset-block-start: 8px; inset-inline-end: 8px; }
    pre { padding: 12px; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_bg); font-size: 0.885em; line-height: 18px; white-space: pre-wrap; }
  `];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The values within a JSON value by their dotted paths; those of a list share one, as in the filter language. */
function flatten(value: unknown, path = ''): [string, unknown][] {
  if (!isObject(value) || !Object.keys(value).length) return path ? [[path, value]] : [];
  if (Array.isArray(value)) return value.flatMap((inner) => flatten(inner, path));
  return Object.entries(value).flatMap(([name, inner]) => flatten(inner, path ? `${path}.${name}` : name));
}
