/** `<recount-portal>`: every page that the session has a right to, under one head. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property, state } from '../base/decorators.js';
import { Problem, type Me } from '../base/client.js';
import { RecountElement } from '../base/element.js';
import { circle, drawIcon } from '../base/icons.js';
import { icon } from '../base/more-icons.js';
import type { Message } from '../base/i18n.js';
import { define } from '../base/part.js';
import { controls, forms, theme } from '../base/styles.js';
import { plain } from '../base/text.js';
import { addressOf, currentParams, VIEW_KEYS, type Persist } from '../model/view.js';
import { isTrouble, type Stream } from '../streams/stream.js';

type PageName = 'events' | 'exports' | 'streams' | 'keys';

/** The pages in the order of the navigation; one more page is one more line. */
const PAGES: readonly { name: PageName; label: Message; scopes: readonly string[]; icon: TemplateResult }[] = [
  { name: 'events', label: 'Events', scopes: ['events:read'], icon: drawIcon('M15 12h-5m5-4h-5m9 9V5a2 2 0 0 0-2-2H4m4 18h12a2 2 0 0 0 2-2v-2H10v2a2 2 0 1 1-4 0V5a2 2 0 1 0-4 0v3h4') },
  { name: 'exports', label: 'Exports', scopes: ['exports:write'], icon: icon('download') },
  { name: 'streams', label: 'Streams', scopes: ['streams:manage'], icon: drawIcon(`M16 8a6 6 0 0 1 0 8m3-11a10 10 0 0 1 0 14M5 19A10 10 0 0 1 5 5m3 11a6 6 0 0 1 0-8${circle(12, 12, 2)}`) },
  { name: 'keys', label: 'API keys', scopes: ['keys:manage'], icon: icon('key') },
];
/** The parameters of a host's fragment that are the portal's: its page, and what the pages keep. */
const OWN_KEYS = [...VIEW_KEYS, 'page', 'stream', 'add'];
const THEMES = ['auto', 'light', 'dark'] as const;
const THEME_ICON = `${circle(12, 12, 10)}M12 18a6 6 0 0 0 0-12z`;
const THEME_LABELS: Record<(typeof THEMES)[number], Message> = { auto: 'Colours of the system', light: 'Light', dark: 'Dark' };

const ends = (scopes: readonly string[], wanted: readonly string[]): boolean =>
  wanted.some((scope) => scopes.includes(scope)) || scopes.includes('operator');

/**
 * @fires recount-page - another page is shown; `detail` is its name
 * @fires recount-titled - what the page is called in the person's language changed; `detail` is that text
 * @fires recount-theme - the person chose colours; `detail` is `auto`, `light` or `dark`
 * @slot brand - replaces the mark and the name
 * @slot end - the end of the head
 */
@define('recount-portal')
export class RecountPortal extends RecountElement {
  /** Where pages and views are kept: `hash` (default), `path` (below `base`, with the view in the query), or `none`. */
  @property() route: 'hash' | 'path' | 'none' = 'hash';
  /** With `route="path"`: the path of the portal's page. */
  @property() base = '/portal';
  /** What the log is called, usually the vendor's name. */
  @property() brand = '';
  @property({ type: Boolean, attribute: 'page-keys' }) pageKeys = false;
  /** Where “back” leads, if anywhere. */
  @property({ attribute: 'return-url' }) returnUrl = '';

  @state() private me?: Me;
  @state() private problem?: Problem;
  @state() private page: PageName = 'events';
  @state() private failing = 0;
  /** Goes up when the person starts a page over. */
  @state() private visit = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.#fromAddress);
    this.#fromAddress();
  }

  override disconnectedCallback(): void {
    removeEventListener('popstate', this.#fromAddress);
    super.disconnectedCallback();
  }

  protected override sessionChanged(): void {
    this.problem = undefined;
    void this.#start();
  }

  async #start(): Promise<void> {
    const { client } = this.context;
    try {
      const me = (this.me = await client.me());
      if (ends(me.scopes, ['streams:manage'])) {
        const { data } = await client.get<{ data: Stream[] }>('/v1/streams').catch(() => ({ data: [] as Stream[] }));
        this.failing = data.filter(isTrouble).length;
      }
    } catch (error) {
      this.problem = Problem.of(error);
    }
  }

  #fromAddress = (): void => {
    const named = this.route === 'path' ? location.pathname.slice(this.base.length).split('/')[1] : currentParams('hash').get('page');
    this.page = PAGES.find(({ name }) => name === named)?.name ?? 'events';
  };

  get #persist(): Persist {
    return this.route === 'path' ? 'query' : this.route;
  }

  #address(page: PageName): string {
    if (this.route === 'path') return page === 'events' ? this.base : `${this.base}/${page}`;
    const params = currentParams('hash');
    for (const name of OWN_KEYS) params.delete(name);
    if (page !== 'events') params.set('page', page);
    return addressOf(params, 'hash');
  }

  #go(event: MouseEvent, page: PageName): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = new URL(this.#address(page), location.href).href;
    if (this.route !== 'none' && address !== location.href) history.pushState(history.state, '', address);
    this.page = page;
    // The page that is shown starts over, as its address now says.
    this.visit++;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('page')) this.emit('recount-page', this.page);
    if (this.me && (changed.has('page') || changed.has('me') || changed.has('brand'))) this.emit('recount-titled', this.#title);
  }

  /** The tenant, as people call it. */
  get #tenant(): string {
    return this.me?.tenant_name ?? this.me?.tenant ?? '';
  }

  get #title(): string {
    const { t } = this;
    const page = PAGES.find(({ name }) => name === this.page)!;
    const log = this.#tenant ? t('Audit log for {name}', { name: plain(this.#tenant) }) : t('Audit log');
    return [t(page.label), log, plain(this.brand)].filter(Boolean).join(' · ');
  }

  /** Where the session says that “back” leads; only to a page, never to a script. */
  get #back(): string {
    const url = this.returnUrl || this.me?.return_url || '';
    return /^https?:\/\//i.test(url) ? url : '';
  }

  #nextTheme(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme ?? 'auto') + 1) % THEMES.length]!;
    this.emit('recount-theme', this.theme);
  }

  override render() {
    const { t, me, context } = this;
    const theme = this.theme ?? 'auto';
    const name = this.brand || this.#tenant;
    const pages = PAGES.filter(({ scopes }) => me && ends(me.scopes, scopes));
    const allowed = pages.some(({ name }) => name === this.page);
    return html`
      <header>
        <slot name="brand"><span class="brand"><span class="mark" aria-hidden="true">${[...(name || 'R')][0]?.toLocaleUpperCase()}</span>
          <span class="who"><strong class="clip"><bdi>${plain(name || t('Audit log'))}</bdi></strong>
          ${this.#tenant ? html`<span class="muted clip sub"><bdi>${this.brand ? t('Audit log for {name}', { name: plain(this.#tenant) }) : t('Audit log')}</bdi></span>` : nothing}</span></span></slot>
        <nav aria-label=${t('Pages')}>${pages.map(({ name, label, icon }) => html`
          <a href=${this.#address(name)} aria-current=${name === this.page ? 'page' : nothing} @click=${(event: MouseEvent) => this.#go(event, name)}>${icon}${t(label)}
            ${name === 'streams' && this.failing ? html`<span class="count">${context.i18n.number(this.failing)}<span class="sr"> ${t('{n} failing', { n: this.failing })}</span></span>` : nothing}</a>`)}</nav>
        <div class="row tail">
          <slot name="end"></slot>
          <button class="btn ghost small square" title=${t(THEME_LABELS[theme])} @click=${() => this.#nextTheme()}>${drawIcon(THEME_ICON)}</button>
          ${this.#back ? html`<a class="btn small" href=${this.#back}>${t('Back')}</a>` : nothing}
        </div>
      </header>
      <div class="body" role=${this.route === 'path' ? 'main' : nothing}>${this.problem ? html`<recount-problem .app=${context} .problem=${this.problem} @retry=${() => (this.problem?.status !== 401 || this.askReload()) && this.sessionChanged()}></recount-problem>`
        : !me ? nothing : allowed ? this.#visited() : this.#refused(pages.length > 0)}</div>`;
  }

  /** The page, made anew with each visit: a template that is not the one before. */
  #visited() {
    return this.visit % 2 ? html`${this.#page()}` : this.#page();
  }

  #page() {
    const { context } = this;
    switch (this.page) {
      case 'exports': return html`<recount-exports .app=${context}></recount-exports>`;
      case 'keys': return html`<recount-keys .app=${context}></recount-keys>`;
      case 'streams': return html`<recount-streams .app=${context} .persist=${this.#persist} @recount-streams-failing=${(event: CustomEvent<number>) => (this.failing = event.detail)}></recount-streams>`;
      default: return html`<h1 class="sr">${this.t('Events')}</h1><recount-log .app=${context} .expired=${this.expired} .persist=${this.#persist} .pageKeys=${this.pageKeys}></recount-log>`;
    }
  }

  #refused(others: boolean) {
    const { t } = this;
    return html`<div class="state">${icon('lock')}<h1>${t('No right to see this')}</h1><p>${others ? t('Your session does not include this page.') : t('Your session does not include any page. Ask whoever gave you the link.')}</p></div>`;
  }

  static override styles = [theme, controls, forms, css`
    :host { display: grid; grid-template-rows: auto minmax(0, 1fr); block-size: var(--recount-height, 100dvh); container: recount-portal / inline-size; }
    header { display: flex; align-items: stretch; gap: 28px; min-block-size: 52px; padding-inline: 24px; border-block-end: 1px solid var(--_border); }
    .brand { display: flex; align-items: center; gap: 10px; min-inline-size: 0; block-size: 100%; }
    .mark { display: grid; place-items: center; inline-size: 24px; block-size: 24px; flex: none; border-radius: 7px; font-size: 12px; font-weight: 600; color: #fff; background: var(--_accent-solid); }
    .who { display: flex; align-items: baseline; gap: 10px; min-inline-size: 0; }
    .who strong { font-weight: 600; font-size: 1.08em; }
    nav { display: flex; gap: 2px; overflow-x: auto; scrollbar-width: none; }
    nav a { display: flex; align-items: center; gap: 8px; padding: 0 13px; color: var(--_muted); text-decoration: none; white-space: nowrap; border-block-end: 2px solid transparent; margin-block-end: -1px; }
    nav a:hover { color: var(--_fg); }
    nav a[aria-current] { color: var(--_fg); font-weight: 500; border-color: var(--_accent-fill); }
    nav a:focus-visible { outline-offset: -3px; border-radius: 6px; }
    .count { padding: 0 6px; border-radius: 999px; font-size: 0.85em; line-height: 18px; font-weight: 600; color: var(--_danger); background: var(--_danger-soft); }
    .tail { margin-inline-start: auto; }
    .body { min-block-size: 0; overflow: auto; }
    .body > recount-log { --recount-height: 100%; min-block-size: 480px; }
    .body > .state { block-size: 100%; }
    recount-problem { display: grid; block-size: 100%; }
    @container recount-portal (max-width: 860px) { header { gap: 16px; padding-inline: 16px; } .sub, nav .icon { display: none; } }
    @container recount-portal (max-width: 600px) {
      header { flex-wrap: wrap; gap: 0 12px; padding-inline: 12px; }
      .brand { block-size: 44px; }
      nav { order: 3; inline-size: 100%; margin-inline: -8px; min-block-size: 40px; }
      nav a { padding-inline: 8px; }
    }
  `];
}
