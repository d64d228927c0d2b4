/** What opens over the page: what to do with a value, which columns to show, export, the keys, and short notes. */
import { css, html, nothing } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { moveInMenu, openPopover } from '../base/popover.js';
import { controls, forms } from '../base/styles.js';
import { plain } from '../base/text.js';
import { COLUMNS } from '../model/view.js';
import { IMMEDIATE_ROWS_MAX } from '../model/export.js';
import { columnLabel, type Pick, type PickAct } from './cells.js';
import './export-dialog.js';
import './help.js';
import type { ExportDialog, ExportSubject } from './export-dialog.js';
import type { KeysHelp } from './help.js';

const NOTE_MS = 2500;

@define('recount-log-menus')
export class LogMenus extends Part {
  @property({ attribute: false }) columns: string[] = [];
  /** What an export would hold. */
  @property({ attribute: false }) subject!: ExportSubject;
  @property({ type: Number }) rowsMax?: number;
  @state() private picked?: Pick;
  @state() private note = '';
  @query('#pick') private pickMenu!: HTMLElement;
  @query('#columns') private columnsMenu!: HTMLElement;
  @query('recount-export-dialog') private exportDialog!: ExportDialog;
  @query('recount-keys-help') private help!: KeysHelp;
  #anchor?: HTMLElement;

  async openHelp(): Promise<void> {
    await this.help.updateComplete;
    this.help.open();
  }

  async openExport(): Promise<void> {
    await this.exportDialog.updateComplete;
    this.exportDialog.open();
  }

  /** Says something in passing, or until something else is said. */
  say(text: string, stays = false): void {
    this.note = text;
    if (!stays) setTimeout(() => (this.note = this.note === text ? '' : this.note), NOTE_MS);
  }

  /** Asks what to do with a value. */
  async openPick(pick: Pick, anchor: Element): Promise<void> {
    this.picked = pick;
    this.#anchor = anchor as HTMLElement;
    await this.updateComplete;
    openPopover(this.pickMenu, anchor);
    this.pickMenu.querySelector('button')?.focus();
  }

  openColumns(anchor: Element): void {
    this.#anchor = anchor as HTMLElement;
    openPopover(this.columnsMenu, anchor, 'end');
    this.columnsMenu.querySelector('input')?.focus();
  }

  #act(act: PickAct): void {
    this.pickMenu.hidePopover();
    this.#anchor?.focus();
    if (this.picked) this.tell('act', { pick: this.picked, act });
  }

  #key = (event: KeyboardEvent): void => {
    moveInMenu(event);
    if (event.key === 'Escape') this.#anchor?.focus();
    else event.stopPropagation();
    const act = ({ f: 'for', x: 'out', y: 'copy' } as const)[event.key];
    if (act && event.currentTarget === this.pickMenu && (act === 'copy' || this.picked?.field !== undefined)) this.#act(act);
  };

  #add = (event: Event): void => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem('path') as HTMLInputElement;
    this.tell('columns-change', [...this.columns.filter((name) => name !== input.value), input.value]);
    input.value = '';
  };

  override render() {
    const { t, picked, columns } = this;
    const all: string[] = [...COLUMNS, ...columns.filter((column) => !(COLUMNS as readonly string[]).includes(column))];
    const item = (act: PickAct, name: 'filter' | 'minus' | 'copy', text: string, key: string) =>
      html`<button class="item" @click=${() => this.#act(act)}>${icon(name)}<span class="grow clip">${text}</span><kbd aria-hidden="true">${key}</kbd></button>`;
    const toggle = (column: string, shown: boolean) =>
      this.tell('columns-change', shown ? all.filter((name) => name === column || columns.includes(name)) : columns.filter((name) => name !== column));
    return html`
      <div id="pick" popover role="dialog" aria-label=${t('Filter or copy {value}', { value: plain(picked?.label ?? picked?.value) })} @keydown=${this.#key}>
        <p class="clip"><bdi>${plain(picked?.label ?? picked?.value)}</bdi></p>
        ${picked?.field === 'time' ? [item('for', 'filter', t('Since then'), 'f'), item('out', 'minus', t('Until then'), 'x')]
          : picked?.field === undefined ? nothing : [item('for', 'filter', t('Filter for this'), 'f'), item('out', 'minus', t('Filter out'), 'x')]}
        ${picked ? item('copy', 'copy', t('Copy value'), 'y') : nothing}
      </div>
      <div id="columns" popover role="dialog" aria-label=${t('Columns')} @keydown=${this.#key}>
        ${all.map((column) => html`<label class="item"><input type="checkbox" .checked=${columns.includes(column)} ?disabled=${column === 'time'}
          @change=${(event: Event) => toggle(column, (event.target as HTMLInputElement).checked)} />${columnLabel(t, column)}</label>`)}
        <hr class="rule" />
        <form class="row" @submit=${this.#add}><input class="input mono" name="path" placeholder="metadata.plan" aria-label=${t('A column of metadata or tags')} pattern="(metadata|tags)\\.[^,\\s]+" required />
          <button class="btn small">${t('Add')}</button></form>
      </div>
      <recount-export-dialog .app=${this.app} .rowsMax=${this.rowsMax ?? IMMEDIATE_ROWS_MAX} .subject=${this.subject}></recount-export-dialog>
      <recount-keys-help .app=${this.app}></recount-keys-help>
      <div class="sr" role="status" aria-live="polite">${this.note}</div>
      ${this.note ? html`<div class="toast" aria-hidden="true">${this.note}</div>` : nothing}`;
  }

  static override styles = [controls, forms, css`
    p { padding: 2px 8px 6px; color: var(--_muted); border-block-end: 1px solid var(--_border); margin-block-end: 6px; }
    .toast { position: absolute; z-index: 9; inset-block-end: 20px; left: 50%; translate: -50%; padding: 6px 14px; border-radius: 999px; background: var(--_fg); color: var(--_bg); font-weight: 500; max-inline-size: 90%; }
    #pick { inline-size: 240px; }
    #columns { inline-size: 220px; }
    form { padding: 0 4px 4px; }
  `];
}
