/** Choosing a range and a zone: typed in shorthand, from presets, or by two dates. */
import { css, html, nothing } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { define, Part } from '../base/part.js';
import { openPopover } from '../base/popover.js';
import { forms } from '../base/form-styles.js';
import { controls } from '../base/styles.js';
import { DAY_MS, fromWall, isZone, parseRange, toWall, writeRange, zoneName, type Range } from '../model/time.js';
import { PRESETS } from './time-field.js';

@define('recount-time-panel')
export class TimePanel extends Part {
  @property() range = '';
  @property() zone = 'local';
  @state() private wrong = '';
  @state() private shown = false;
  @query('[popover]') private panel!: HTMLElement;
  @query('#typed') private typed!: HTMLInputElement;

  open(anchor: Element): void {
    this.shown = true;
    void this.updateComplete.then(() => {
      openPopover(this.panel, anchor, 'end');
      this.typed.focus();
      this.typed.select();
    });
  }

  /** The locale's own words for the fixed ranges, as they may be typed. */
  get aliases(): Record<string, string> {
    const { t } = this;
    return { [t('all')]: 'all', [t('today').replaceAll('’', "'")]: 'today', [t('yesterday')]: 'yesterday' };
  }

  #apply(text: string): void {
    const { t } = this;
    const range = parseRange(text, this.zone, Date.now(), this.aliases);
    this.wrong = range === 'reversed' ? t('The range ends before it starts.')
      : range === 'unknown' ? t('Not a range of time. Try 15m, 24h, 7d, yesterday, 2026-11-01 or 2026-11-01..2026-11-07.') : '';
    if (this.wrong) return;
    const lower = text.trim().toLowerCase().replaceAll('’', "'");
    this.tell('range-change', this.aliases[lower] ?? (lower.startsWith('last ') ? lower.slice(5).replace(/\s/g, '') : text.trim()));
    this.panel.hidePopover();
  }

  #applyPicked = (event: Event): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const at = (name: string) => fromWall(Date.parse(`${String(data.get(name))}Z`), this.zone);
    if (!data.get('from') || !data.get('to')) return;
    if (at('from') >= at('to')) this.wrong = this.t('The range ends before it starts.');
    else this.#apply(writeRange(at('from'), at('to')));
  };

  override render() {
    const { t } = this;
    const range = parseRange(this.range, this.zone, Date.now());
    const bounds = typeof range === 'string' ? {} as Range : range;
    const local = (at?: number) => (at === undefined ? '' : new Date(toWall(at, this.zone)).toISOString().slice(0, 16));
    return html`
      <div popover role="dialog" aria-label=${t('Time range')} @toggle=${(event: ToggleEvent) => { this.shown = event.newState === 'open'; this.wrong = ''; }}
        @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
        ${this.shown ? html`<div class="stack">
          <label class="field"><span>${t('Range')}</span>
            <input id="typed" class="input mono" .value=${this.range} aria-invalid=${this.wrong ? 'true' : nothing} aria-describedby="why" spellcheck="false"
              @keydown=${(event: KeyboardEvent) => event.key === 'Enter' && this.#apply(this.typed.value)} />
            <span id="why" class=${this.wrong ? 'mistake' : 'hint'} aria-live="polite">${this.wrong || t('15m · 7d · yesterday · 2026-11-01..2026-11-07')}</span>
          </label>
          <div class="presets" role="group" aria-label=${t('Presets')}>${PRESETS.map(([value, text]) => html`
            <button class="item" aria-pressed=${value === this.range} @click=${() => this.#apply(value)}>${t(text)}</button>`)}</div>
          <form class="picked" @submit=${this.#applyPicked}>
            <label class="field"><span>${t('From')}</span><input class="input" type="datetime-local" name="from" required .value=${local(bounds.from ?? Date.now() - DAY_MS)} /></label>
            <label class="field"><span>${t('To')}</span><input class="input" type="datetime-local" name="to" required .value=${local(bounds.to ?? Date.now())} /></label>
            <button class="btn small">${t('Apply')}</button>
          </form>
          <label class="field"><span>${t('Time zone')}</span>
            <select class="input" @change=${(event: Event) => this.tell('zone-change', (event.target as HTMLSelectElement).value)}>
              ${zones(this.zone).map((zone) => html`<option value=${zone} ?selected=${zone === this.zone}>${zone === 'local' ? t('Local time ({zone})', { zone: zoneName('local') }) : zone}</option>`)}
            </select>
          </label>
        </div>` : nothing}
      </div>`;
  }

  static override styles = [controls, forms, css`
    [popover] { inline-size: 328px; padding: 14px; }
    .stack { gap: 12px; }
    .presets { display: grid; grid-template-columns: 1fr 1fr; gap: 0 4px; }
    .item[aria-pressed='true'] { background: var(--_accent-soft); color: var(--_accent); font-weight: 500; }
    .picked { display: grid; gap: 8px; padding-block: 12px; border-block: 1px solid var(--_border); }
    .picked .field { grid-template-columns: 44px 1fr; align-items: center; }
  `];
}

/** Local and UTC first, then the world's; a zone from the address that the list lacks stays selectable. */
function zones(current: string): string[] {
  const all = ['local', 'UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
  return all.includes(current) || !isZone(current) ? all : [...all, current];
}
