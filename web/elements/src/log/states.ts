/** What stands in the list's place when there is nothing to list, each case with a way on. */
import { css, html, nothing } from 'lit';
import { property, state } from '../base/decorators.js';
import type { Problem } from '../base/client.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import { eventsParams, type EventsQuery, type HistogramAnswer } from '../model/api.js';
import { formatFilter, parseFilter, type Term } from '../model/filter.js';

const DROPS_TRIED_MAX = 6;

interface Drop {
  term: Term;
  filter: string;
  count: number;
}

/** Nothing to show: nothing was sent yet, or a condition keeps everything away, and then which. */
@define('recount-no-match')
export class NoMatch extends Part {
  @property({ attribute: false }) query!: EventsQuery;
    /** Whether nothing was sent yet: all that there may be are Recount's own events. */
  @property({ type: Boolean }) none = false;
  @state() private drops?: Drop[];
  @state() private ever?: number;

  protected override firstUpdated(): void {
    if (!this.none) void this.#look();
  }

  async #look(): Promise<void> {
    const count = (query: Omit<EventsQuery, 'order'>) => this.app.client.get<HistogramAnswer>('/v1/events/histogram', eventsParams(query)).then(({ total }) => total, () => 0);
    const { terms } = parseFilter(this.query.filter);
    const ranged = this.query.from !== undefined || this.query.to !== undefined;
    const [ever, ...counts] = await Promise.all([
      ranged ? count({ filter: this.query.filter }) : 0,
      ...terms.slice(0, DROPS_TRIED_MAX).map((term) => count({ ...this.query, filter: formatFilter(terms.filter((other) => other !== term)) })),
    ]);
    this.ever = ever;
    this.drops = terms.slice(0, DROPS_TRIED_MAX)
      .map((term, i) => ({ term, filter: formatFilter(terms.filter((other) => other !== term)), count: counts[i]! }))
      .filter((drop) => drop.count).sort((a, b) => b.count - a.count);
  }

  override render() {
    const { t } = this;
    if (this.none) {
      return html`<div class="state none" role="status">${icon('inbox')}<h2>${t('No events yet')}</h2>
        <p>${t('Events appear here moments after they happen: sign-ins, changes of roles and settings, exports. Turn on Live to watch the first one arrive.')}</p>
        <div class="row"><button class="btn" @click=${() => this.tell('live')}>${t('Live')}</button>
          <button class="btn ghost" @click=${() => this.tell('filter-change', 'source:recount')}>${t('Show what this portal recorded')}</button></div></div>`;
    }
    return html`<div class="state" role="status">${icon('search')}
      <h2>${t('No events match')}</h2>
      <p>${this.drops === undefined ? t('Looking for what keeps them away…')
        : this.drops.length || this.ever ? t('Without one of these there are some:') : t('No single condition is to blame; clear the filter to start over.')}</p>
      <div class="ways">
        ${this.drops?.map((drop) => html`<button class="btn small" @click=${() => this.tell('filter-change', drop.filter)}>${icon('x')}
          <code class="clip">${formatFilter([drop.term])}</code><span class="muted">${t('{n} event|{n} events', { n: drop.count })}</span></button>`)}
        ${this.ever ? html`<button class="btn small" @click=${() => this.tell('range-change', 'all')}>${icon('calendar')}${t('All time')}<span class="muted">${t('{n} event|{n} events', { n: this.ever })}</span></button>` : nothing}
        ${this.query.filter ? html`<button class="btn small" @click=${() => this.tell('filter-change', '')}>${t('Clear the filter')}</button>` : nothing}
      </div></div>`;
  }

  static override styles = [controls, forms, css`
    .ways { display: grid; gap: 8px; justify-items: center; margin-block-start: 8px; max-inline-size: 100%; }
    .ways .btn { max-inline-size: 100%; }
  `];
}

/** A failure with its id and a way to try again. */
@define('recount-problem')
export class ProblemState extends Part {
  @property({ attribute: false }) problem!: Problem;

  override render() {
    const { t } = this;
    const { status, requestId, code } = this.problem;
    const [title, text] = status === 0 ? [t('The server can’t be reached'), navigator.onLine ? t('Check the connection; nothing was lost.') : t('You are offline. This page continues by itself when the connection is back.')]
      : status === 401 ? [t('Your session has ended'), t('Your filters are kept. Reload the session to go on.')]
        : status === 403 ? [t('No right to see this'), t('Your session does not include it. Ask whoever gave you the link.')]
          : status === 404 ? [t('No such event'), t('The link names an event that is not in this log.')]
          : [code === 'too_expensive' ? t('This search is too broad') : t('This could not be loaded'), this.app.i18n.problem(this.problem)];
    return html`<div class="state" role="alert">${icon(status === 0 ? 'offline' : status === 401 || status === 403 ? 'lock' : 'alert')}
      <h2>${title}</h2><p class="any">${text}</p>
      ${requestId && status !== 401 ? html`<p class="hint">${t('Error id')} <code>${requestId}</code></p>` : nothing}
      ${status === 403 ? nothing : html`<div class="row"><button class="btn" @click=${() => this.tell('retry')}>${status === 401 ? t('Reload session') : status === 404 ? t('Close') : t('Try again')}</button></div>`}</div>`;
  }

  static override styles = [controls, forms];
}

/** What is wrong while there is still something to see. */
@define('recount-log-banner')
export class LogBanner extends Part {
  @property({ type: Boolean }) offline = false;
  @property({ type: Boolean }) expired = false;
  @property({ attribute: false }) histogram?: HistogramAnswer;
  @property() zone = 'UTC';

  override render() {
    const { t, histogram } = this;
    if (this.offline) return html`<p class="note wary" role="status">${icon('offline')}<span>${t('You are offline. This is what was loaded before.')}</span></p>`;
    if (this.expired) {
      return html`<p class="note wary" role="alert">${icon('lock')}<span class="grow">${t('Your session has ended')}. ${t('Your filters are kept. Reload the session to go on.')}</span>
        <button class="btn small" @click=${() => this.tell('retry')}>${t('Reload session')}</button></p>`;
    }
    if (!histogram || histogram.exact) return nothing;
    const since = histogram.covered_from;
    return html`<p class="note" role="status">${icon('alert')}<span>${since
      ? t('Counts cover events since {time}; the search would have to read too much to count the rest. Narrow the range or the filter for exact counts.', { time: this.app.i18n.dates(this.zone, { dateStyle: 'medium', timeStyle: 'short' }).format(Date.parse(since)) })
      : t('Counts are approximate. Narrow the range or the filter for exact ones.')}</span></p>`;
  }

  static override styles = [controls, forms];
}
