/** Copying, also where the asynchronous interface is not allowed (frames, plain HTTP). */
import { html } from 'lit';
import type { I18n } from './i18n.js';
import { icon } from './more-icons.js';

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

/** A button that says for a while that it copied. */
export const copyButton = (t: I18n['t'], copied: boolean, copy: () => void) => html`
  <button type="button" class="btn small" @click=${copy}>${icon(copied ? 'check' : 'copy')}${copied ? t('Copied') : t('Copy')}</button>`;
