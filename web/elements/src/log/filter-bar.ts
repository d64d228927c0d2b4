/** The filter as chips and text: one field that completes, explains its mistakes and never hides a condition. */
import { css, html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from '../base/decorators.js';
import type { Problem } from '../base/client.js';
import { icon } from '../base/icons.js';
import type { Message } from '../base/i18n.js';
import { define, Part } from '../base/part.js';
import { controls } from '../base/look.js';
import { plain } from '../base/text.js';
import { FIELDS, formatFilter, parseFilter, unquote, type Condition, type Mistake, type Term } from '../model/filter.js';
import type { Range } from '../model/time.js';
import type { Suggester, Suggestion } from './suggest.js';

const FACETS_DELAY_MS = 120;
const CHIP_VALUES_SHOWN = 3;

@define('recount-filter-bar')
export class FilterBar extends Part {
  @property() filter = '';
  /** The range whose values are suggested. */
  @property({ attribute: false }) span: Pick<Range, 'from' | 'to'> = {};
  @property({ attribute: false }) names = new Map<string, string>();
  /** The server's refusal of the filter, if it refused. */
  @property({ attribute: false }) problem?: Problem;

  @state() private draft = '';
  @state() private open = false;
  @state() private active = -1;
  @state() private suggester?: Suggester;
  @state() private mistakes: Mistake[] = [];
  @query('input') private input!: HTMLInputElement;
  #timer = 0;

  override focus(): void {
    this.input.focus();
    this.input.select();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('draft')) this.mistakes = this.mistakes.filter(({ start, end, token }) => this.draft.slice(start, end) === token);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('draft') || changed.has('open') || changed.has('filter')) {
      clearTimeout(this.#timer);
      if (this.open) this.#timer = window.setTimeout(() => void this.#load(), this.suggester ? FACETS_DELAY_MS : 0);
    }
    if (changed.has('active')) this.renderRoot.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }

  get #terms(): Term[] {
    return parseFilter(this.filter).terms;
  }

  #set(terms: readonly Condition[]): void {
    this.tell('filter-change', formatFilter(terms));
  }

  async #load(): Promise<void> {
    this.suggester ??= new (await import('./later.js')).Suggester(this.app.client, this.names);
    if (await this.suggester.load(this.draft, this.#terms, this.span)) this.requestUpdate();
  }

  get #suggestions(): Suggestion[] {
    return this.suggester?.list(this.draft, (name) => this.#fieldLabel(name)) ?? [];
  }

  #fieldLabel(name: string): string {
    return Object.hasOwn(FIELDS, name) ? this.t(FIELDS[name as keyof typeof FIELDS] as Message) : name;
  }

  #pick(suggestion: Suggestion): void {
    this.draft = suggestion.insert;
    this.input.value = this.draft;
    this.active = -1;
    if (suggestion.done) this.#commit();
    this.input.focus();
  }

  /** Turns the draft into chips, or points at what can't be understood. */
  #commit(): void {
    const { terms, mistakes } = parseFilter(this.draft);
    this.mistakes = mistakes;
    if (mistakes.length) return;
    this.draft = '';
    this.input.value = '';
    this.active = -1;
    if (terms.length) this.#set([...this.#terms, ...terms]);
  }

  #edit(index: number): void {
    const terms = this.#terms;
    this.draft = formatFilter([terms[index]!]);
    this.#set(terms.filter((_, i) => i !== index));
    void this.updateComplete.then(() => this.input.focus());
  }

  #key = (event: KeyboardEvent): void => {
    const suggestions = this.open ? this.#suggestions : [];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const picked = suggestions[this.active];
    if (event.isComposing) return;
    if (step) {
      if (!this.open) this.open = true;
      else this.active = Math.max(-1, Math.min(suggestions.length - 1, this.active + step));
    } else if (event.key === 'Enter') {
      if (picked) this.#pick(picked);
      else this.#commit();
    } else if (event.key === 'Tab' && !event.shiftKey && this.draft && suggestions.length) {
      this.#pick(picked ?? suggestions[0]!);
    } else if (event.key === 'Escape' && this.open) {
      this.open = false;
      this.active = -1;
      event.stopPropagation();
    } else if (event.key === 'Backspace' && !this.draft) {
      this.#set(this.#terms.slice(0, -1));
    } else if (event.key === 'ArrowLeft' && !this.input.selectionEnd) {
      this.renderRoot.querySelector<HTMLElement>('.chip:last-of-type .remove')?.focus();
    } else {
      return;
    }
    event.preventDefault();
  };

  /** Pasted text becomes chips at once when all of it is understood. */
  #paste = (event: ClipboardEvent): void => {
    const text = event.clipboardData?.getData('text') ?? '';
    if (this.draft || !/[\s:]/.test(text.trim())) return;
    event.preventDefault();
    this.draft = text.replace(/\s+/g, ' ').trim();
    this.input.value = this.draft;
    this.#commit();
  };

  override render() {
    const { t } = this;
    const terms = this.#terms;
    const suggestions = this.open ? this.#suggestions : [];
    const refused = this.problem?.members['position'] as number | undefined;
    const wrong = this.mistakes[0];
    return html`
      <div class="bar" part="filter" @click=${(event: Event) => event.target === event.currentTarget && this.input.focus()}>
        ${icon('search')}
        <div class="flow">
          ${terms.map((term, index) => this.#chip(term, index, refused !== undefined && refused >= term.start && refused < term.end))}
          <span class="draft">
            <span class="mirror" aria-hidden="true">${this.#mirror()}</span>
            <input role="combobox" aria-expanded=${suggestions.length > 0} aria-controls="list" aria-autocomplete="list"
              aria-activedescendant=${this.active < 0 ? nothing : `s${this.active}`} aria-label=${t('Filter events')}
              aria-invalid=${wrong || this.problem ? 'true' : nothing} aria-describedby=${wrong || this.problem ? 'mistake' : nothing}
              autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="search"
              placeholder=${terms.length ? t('Add a filter…') : t('Filter by actor, action, target, IP…')} .value=${this.draft}
              @input=${(event: Event) => { this.draft = (event.target as HTMLInputElement).value; this.open = true; this.active = -1; }}
              @focus=${() => (this.open = true)} @blur=${() => (this.open = false)} @keydown=${this.#key} @paste=${this.#paste} />
          </span>
        </div>
        ${terms.length ? html`<button class="btn ghost small" @click=${() => this.#set([])}>${t('Clear')}</button>` : nothing}
        <kbd aria-hidden="true">/</kbd>
      </div>
      <ul id="list" role="listbox" aria-label=${t('Suggestions')} ?hidden=${!suggestions.length} @mousedown=${(event: Event) => event.preventDefault()}>
        ${suggestions.map((suggestion, index) => html`
          <li class="item" role="option" id=${`s${index}`} aria-selected=${index === this.active} @click=${() => this.#pick(suggestion)}>
            <span class="grow clip"><span class="muted">${suggestion.label} ${suggestion.negated ? t('is not') : t('is')}</span>
              ${suggestion.value === undefined ? '…' : html`<bdi>${this.#valueLabel(suggestion.value)}</bdi>`}</span>
            ${suggestion.count === undefined ? nothing : html`<span class="muted">${this.app.i18n.number(suggestion.count)}</span>`}
          </li>`)}
      </ul>
      ${wrong || this.problem ? html`<p class="mistake" id="mistake" role="alert">${wrong ? this.suggester?.explain(wrong, t) : this.problem!.detail}</p>` : nothing}`;
  }

  #valueLabel(value: string): string {
    const name = this.names.get(value);
    return plain(name && name !== value ? `${name} (${value})` : value);
  }

  /** The draft again, behind the input, to underline what is wrong in it. */
  #mirror() {
    let at = 0;
    const pieces = this.mistakes.map(({ start, end }) => {
      const piece = html`${this.draft.slice(at, start)}<mark>${this.draft.slice(start, end)}</mark>`;
      at = end;
      return piece;
    });
    return html`${pieces}${this.draft.slice(at)}`;
  }

  #chip(term: Term, index: number, refused: boolean) {
    const { t } = this;
    const values = term.raw.map(unquote);
    const shown = values.slice(0, CHIP_VALUES_SHOWN).map((value) => plain(this.names.get(value) ?? value));
    const more = values.length - shown.length;
    const label = term.field ? `${this.#fieldLabel(term.field)} ${term.negated ? t('is not') : t('is')}` : term.negated ? t('without') : t('with');
    const text = shown.join(', ') + (more ? ` +${this.app.i18n.number(more)}` : '');
    const update = (next: Partial<Term>) => this.#set(this.#terms.map((other, i) => (i === index ? { ...other, ...next } : other)));
    return html`<span class="chip ${term.negated ? 'not' : ''} ${refused ? 'refused' : ''}" role="group" aria-label=${`${label} ${text}`}>
      <button class="op" title=${t('Switch between is and is not')} @click=${() => update({ negated: !term.negated })}>${label}</button>
      <button class="value clip" title=${`${values.map(plain).join(', ')} · ${t('Edit')}`} @click=${() => this.#edit(index)}><bdi>${text}</bdi></button>
      <button class="remove" aria-label=${t('Remove filter {name}', { name: `${label} ${text}` })}
        @keydown=${(event: KeyboardEvent) => (event.key === 'ArrowRight' || event.key === 'Escape') && this.input.focus()}
        @click=${() => { this.#set(this.#terms.filter((_, i) => i !== index)); this.input.focus(); }}>${icon('x')}</button>
    </span>`;
  }

  static override styles = [controls, css`
    :host { position: relative; display: block; min-inline-size: 0; }
    .bar {
      display: flex; align-items: center; gap: 8px; min-block-size: 38px; padding-inline: 11px 8px;
      border: 1px solid var(--_control); border-radius: var(--_radius); background: var(--_bg); cursor: text;
    }
    .bar:focus-within { outline: 2px solid var(--_accent); outline-offset: -1px; border-color: transparent; }
    .bar > .icon { color: var(--_muted); }
    .flow { flex: 1; min-inline-size: 0; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; padding-block: 4px; }
    .draft { position: relative; flex: 1; min-inline-size: 150px; }
    input {
      inline-size: 100%; block-size: 26px; padding: 0; border: 0; outline: 0; background: none; position: relative;
      unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent;
    }
    input:focus-visible { outline: 0; }
    input::placeholder { color: var(--_muted); opacity: 1; unicode-bidi: inherit; }
    .mirror { position: absolute; inset: 0; unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent; line-height: 26px; white-space: pre; overflow: hidden; color: transparent; }
    mark { background: none; color: transparent; text-decoration: var(--_danger) wavy underline; text-underline-offset: 3px; }
    .bar:focus-within kbd { visibility: hidden; }
    .chip {
      display: inline-flex; align-items: center; min-inline-size: 0; max-inline-size: 100%; block-size: 26px; border-radius: 6px;
      background: var(--_accent-soft);
    }
    .chip.not { background: var(--_danger-soft); }
    .chip.refused { box-shadow: 0 2px 0 -1px var(--_danger), inset 0 -2px 0 var(--_danger); }
    .chip button { border: 0; background: none; block-size: 100%; padding: 0; cursor: pointer; border-radius: 6px; }
    .chip .op { padding-inline: 8px 4px; color: var(--_muted); white-space: nowrap; }
    .chip .op:hover { color: var(--_fg); text-decoration: underline; text-underline-offset: 2px; }
    .chip .value { font-weight: 500; max-inline-size: 260px; }
    .chip .remove { display: grid; place-items: center; inline-size: 24px; color: var(--_muted); flex: none; }
    .chip .remove:hover { color: var(--_fg); }
    .chip .remove .icon { inline-size: 12px; block-size: 12px; }
    ul {
      position: absolute; z-index: 5; inset-inline: 0; inset-block-start: calc(100% + 4px); max-inline-size: 560px; padding: 6px;
      background: var(--_raised); border: 1px solid var(--_control); border-radius: var(--_radius);
      box-shadow: 0 6px 24px var(--_shadow);
    }
    ul[hidden] { display: none; }
    li bdi { margin-inline-start: 0.35em; }
    .mistake { padding: 4px 2px 0; }
    @media (max-width: 480px) { kbd { display: none; } }
  `];
}
