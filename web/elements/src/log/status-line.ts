/** How many events match, and the tools of the list. */
import { css, html, nothing } from 'lit';
import { property } from '../base/decorators.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import type { HistogramAnswer } from '../model/api.js';
import { zoneName } from '../model/time.js';
import type { View } from '../model/view.js';
import { zoneShort } from './cells.js';

@define('recount-status-line')
export class StatusLine extends Part {
  @property({ attribute: false }) view!: View;
  @property({ attribute: false }) histogram?: HistogramAnswer;
  /** Counts of the range without the filter. */
  @property({ attribute: false }) inRange?: HistogramAnswer;
  @property() density = 'cosy';

  #counts() {
    const { t, view, histogram, inRange } = this;
    if (!histogram) return html`<span class="muted">…</span>`;
    const { i18n } = this.app;
    const sum = (name: 'failure' | 'denied') => histogram.buckets.reduce((all, bucket) => all + bucket[name], 0);
    const shown = ({ exact, total }: HistogramAnswer) => (exact ? i18n.number(total) : t('about {n}', { n: total }));
    const [before = '', after = ''] = t(view.filter ? '{count} event matches|{count} events match' : '{count} event|{count} events', { n: histogram.total, count: '\u0000' }).split('\u0000');
    const bad = (outcome: 'failure' | 'denied', text: string) =>
      (sum(outcome) ? html`<button class="bad danger" @click=${() => this.tell('outcome', outcome)}>${text}</button>` : nothing);
    return html`<span>${before}<strong>${shown(histogram)}</strong>${after}</span>
      ${inRange ? html`<span class="muted">${t('of {count} in range', { count: shown(inRange) })}</span>` : nothing}
      ${bad('denied', t('{n} denied|{n} denied', { n: sum('denied') }))}${bad('failure', t('{n} failed|{n} failed', { n: sum('failure') }))}`;
  }

  override render() {
    const { t, view } = this;
    const { i18n } = this.app;
    const local = view.zone === 'UTC' ? 'local' : view.zone;
    const here = zoneName(local);
    return html`<p role="status">${this.#counts()}</p>
      <div class="tools">
        <button class="btn ghost small" title=${t('Reload')} @click=${() => this.tell('reload')}>${icon('system')}</button>
        <button class="btn ghost small" title=${t('Copy link')} @click=${() => this.tell('copy-link')}>${icon('link')}<span class="wide">${t('Copy link')}</span></button>
        <button class="btn ghost small" title=${t('Columns')} aria-haspopup="dialog" @click=${(event: Event) => this.tell('columns', event.currentTarget)}>${icon('columns')}<span class="wide">${t('Columns')}</span></button>
        <div class="seg" role="group" aria-label=${t('Time zone')}>
          ${here === 'UTC' ? nothing : html`<button aria-pressed=${view.zone !== 'UTC'} title=${here} @click=${() => this.tell('zone-change', local)}>${zoneShort(i18n, here, Date.now())}</button>`}
          <button aria-pressed=${view.zone === 'UTC' || here === 'UTC'} @click=${() => this.tell('zone-change', 'UTC')}>UTC</button>
        </div>
        <button class="btn ghost small" aria-pressed=${this.density === 'compact'} title=${t('Compact rows')} @click=${() => this.tell('density')}>${icon('rows')}</button>
        <button class="btn ghost small keys" title=${t('Keyboard')} @click=${() => this.tell('help')}><kbd aria-hidden="true">?</kbd></button>
      </div>`;
  }

  static override styles = [controls, forms, css`
    :host { display: flex; align-items: center; justify-content: space-between; gap: 4px 16px; flex-wrap: wrap; min-block-size: 34px; container: recount-status / inline-size; }
    p { display: flex; flex-wrap: wrap; gap: 0 12px; }
    /* Also English in a page from right to left: the number comes first. */
    p > * { unicode-bidi: plaintext; }
    .bad { padding: 0; border: 0; background: none; cursor: pointer; }
    .bad:hover { text-decoration: underline; text-underline-offset: 2px; }
    .tools { display: flex; align-items: center; gap: 2px; margin-inline-start: auto; margin-inline-end: -8px; }
    .btn { font-weight: 400; padding-inline: 8px; }
    .seg { margin-inline: 4px; }
    @container recount-status (max-width: 660px) { .wide { display: none; } }
  `];
}
