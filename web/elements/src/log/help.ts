/** The keys of the log page. */
import { css, html } from 'lit';
import { query } from '../base/decorators.js';
import type { Message } from '../base/i18n.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import { lettersOff, OFF_KEY } from './letters.js';

const KEYS: readonly [string, Message][] = [
  ['/', 'Filter'], ['t', 'Time range'], ['z', 'Switch between local time and UTC'], ['l', 'Live on or off'], ['r', 'Reload'], ['v', 'Views'], ['e', 'Export'],
  ['↑ ↓ · j k', 'Previous or next event'], ['Enter', 'Open the event'], ['Esc', 'Close, or zoom out'], ['← →', 'Move between cells'],
  ['f · x · y', 'On a cell: filter for, filter out, copy'], ['c', 'Copy the link of the open event'], ['?', 'This list'],
];

@define('recount-keys-help')
export class KeysHelp extends Part {
  @query('dialog') private dialog!: HTMLDialogElement;

  #switch = (event: Event): void => {
    try { localStorage[OFF_KEY] = (event.target as HTMLInputElement).checked ? '' : '1'; } catch { /* a page without storage */ }
  };

  open(): void {
    this.dialog.showModal();
  }

  override render() {
    const { t } = this;
    return html`<dialog aria-labelledby="title" @keydown=${(event: Event) => event.stopPropagation()}><div class="stack">
      <h2 id="title">${t('Keyboard')}</h2>
      <dl>${KEYS.map(([keys, text]) => html`<div><dt>${keys.split(' · ').map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${t(text)}</dd></div>`)}</dl>
      <label class="check"><input type="checkbox" .checked=${!lettersOff()} @change=${this.#switch} />
        <span>${t('Single-key shortcuts')}<br /><span class="hint">${t('Off, letters do nothing outside of the list; arrows, Enter and Esc stay.')}</span></span></label>
      <div class="actions"><button class="btn" autofocus @click=${() => this.dialog.close()}>${t('Close')}</button></div></div></dialog>`;
  }

  static override styles = [controls, forms, css`
    dl { display: grid; gap: 6px; }
    dl > div { display: grid; grid-template-columns: 110px 1fr; gap: 16px; align-items: center; }
    dt { text-align: end; }
    kbd { color: var(--_fg); }
  `];
}
