/** `<recount-streams>`: continuous exports, from the choice of a destination to the last attempt's answer. */
import { html, nothing } from 'lit';
import { property, state } from '../base/decorators.js';
import { agoText } from '../base/amounts.js';
import { icon } from '../base/more-icons.js';
import { badge, PageElement, pageStyles, tableHead } from '../base/page.js';
import { define } from '../base/part.js';
import { controls, forms, theme } from '../base/styles.js';
import { plain } from '../base/text.js';
import { addressOf, currentParams, type Persist } from '../model/view.js';
import { DESTINATIONS, FORMAT_NAMES, kindOf, nameOf } from './destinations.js';
import { stateOf, type Stream } from './stream.js';
import { streamStyles } from './stream-styles.js';
import './stream-form.js';
import './stream-detail.js';

const REFRESH_MS = 5000;

/**
 * @fires recount-streams-failing - how many streams are in trouble; `detail` is the number
 */
@define('recount-streams')
export class RecountStreams extends PageElement<Stream> {
  /** Where the open stream is kept: `hash` (default), `query`, or `none`. */
  @property() persist: Persist = 'hash';
  @state() private place: { open?: string; add?: string } = {};
  protected override path = '/v1/streams';
  #timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.#fromAddress);
    this.#fromAddress();
    this.#timer = window.setInterval(() => { if (this.items && document.visibilityState === 'visible') void this.load(); }, REFRESH_MS);
  }

  override disconnectedCallback(): void {
    removeEventListener('popstate', this.#fromAddress);
    clearInterval(this.#timer);
    super.disconnectedCallback();
  }

  #fromAddress = (): void => {
    const params = currentParams(this.persist);
    this.place = { open: params.get('stream') ?? undefined, add: params.get('add') ?? undefined };
  };

  #go(place: { open?: string; add?: string }): void {
    this.place = place;
    if (this.persist === 'none') return;
    const params = currentParams(this.persist);
    for (const [name, value] of [['stream', place.open], ['add', place.add]] as const) {
      if (value === undefined) params.delete(name);
      else params.set(name, value);
    }
    history.pushState(history.state, '', addressOf(params, this.persist));
  }

  protected override async load(): Promise<void> {
    await super.load();
    this.emit('recount-streams-failing', this.items?.filter((stream) => stateOf(stream).tone === 'danger').length ?? 0);
  }

  override render() {
    const { t, place, context } = this;
    const back = html`<button class="btn ghost small back" @click=${() => this.#go({})}>${icon('up')}${t('All streams')}</button>`;
    const open = this.items?.find(({ id }) => id === place.open);
    if (open) {
      return html`<div class="page">${back}<recount-stream-detail .app=${context} .stream=${open} @changed=${() => this.load()} @gone=${() => { this.#go({}); void this.load(); }}></recount-stream-detail></div>`;
    }
    const adding = DESTINATIONS.find((destination) => nameOf(destination) === place.add);
    if (adding) {
      return html`<div class="page">${back}<recount-stream-form .app=${context} .destination=${adding} @cancel=${() => this.#go({ add: '' })}
        @created=${async (event: CustomEvent<string>) => { await this.load(); this.#go({ open: event.detail }); }}></recount-stream-form></div>`;
    }
    if (place.add !== undefined) return html`<div class="page">${back}<h1>${t('Add stream')}</h1>${this.#picker()}</div>`;
    return html`<div class="page">
      ${this.top(t('Streams'), t('Send every event on, continuously, to where you already look. Nothing is skipped: a stream in trouble keeps its place.'),
        this.items?.length ? html`<button class="btn primary" @click=${() => this.#go({ add: '' })}>${icon('plus')}${t('Add stream')}</button>` : nothing)}
      ${this.body((streams) => (streams.length ? this.#list(streams) : this.#picker()))}
    </div>`;
  }

  #picker() {
    const { t } = this;
    return html`<section class="stack"><h2>${t('Where should events go?')}</h2>
      <ul class="picker">${DESTINATIONS.map((destination) => html`
        <li><button @click=${() => this.#go({ add: nameOf(destination) })}>${destination.icon}<span><strong>${destination.title}</strong><span class="muted">${t(destination.about)}</span></span></button></li>`)}</ul></section>`;
  }

  #list(streams: Stream[]) {
    const { t, context: { i18n } } = this;
    return html`<div class="list"><table>${tableHead([t('Stream'), t('State'), t('Behind'), t('Delivered'), t('Last success')])}
      <tbody>${streams.map((stream) => {
        const { label, tone } = stateOf(stream);
        const kind = kindOf(stream.destination);
        return html`<tr>
          <td><button class="name" @click=${() => this.#go({ open: stream.id })}><bdi class="any">${plain(stream.name)}</bdi></button>
            <small>${kind?.title ?? stream.destination.type} · ${FORMAT_NAMES[stream.format] ?? stream.format}${stream.filter ? html` · <code>${plain(stream.filter)}</code>` : nothing}</small></td>
          <td>${badge(tone, t(label))}
            ${tone === 'danger' && stream.last_error ? html`<small class="any error">${plain(stream.last_error)}</small>` : nothing}</td>
          <td>${stream.lag && stream.status !== 'draft' ? html`${t('{n} event|{n} events', { n: stream.lag.events })}${stream.lag.seconds ? html`<small>${agoText(i18n, -stream.lag.seconds * 1000, 0)}</small>` : nothing}` : html`<span class="muted">–</span>`}</td>
          <td>${i18n.number(stream.delivered)}${stream.dead_letters ? html`<small class="danger">${t('{n} refused', { n: stream.dead_letters })}</small>` : nothing}</td>
          <td>${this.when(stream.last_success_at)}</td>
        </tr>`;
      })}</tbody></table></div>`;
  }

  static override styles = [theme, controls, forms, pageStyles, streamStyles];
}
