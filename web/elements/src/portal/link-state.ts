/** `<recount-link-state>`: what the hosted page shows when there is no session to show. */
import { html, nothing } from 'lit';
import { property } from '../base/decorators.js';
import { RecountElement } from '../base/element.js';
import { icon } from '../base/more-icons.js';
import { define } from '../base/part.js';
import { controls, forms, theme } from '../base/styles.js';
import { plain } from '../base/text.js';
import { css } from 'lit';

@define('recount-link-state')
export class LinkState extends RecountElement {
  /** `opening`, `ended` (used or too old), `missing`, or `unreachable`. */
  @property() state: 'opening' | 'ended' | 'missing' | 'unreachable' = 'missing';
  /** Where a session can be had, if that is known, and what that is called. */
  @property() href = '';
  @property() brand = '';

  protected override shouldUpdate(): boolean {
    return true;
  }

  override render() {
    const { t, state } = this;
    if (state === 'opening') return html`<main class="state"><p role="status">${t('Opening the audit log…')}</p></main>`;
    const [title, text] = {
      ended: [t('This link can’t be used any more'), t('Each link opens the log once, for a short time. Ask for a new one where you found it. If somebody else may have used it, tell them.')],
      missing: this.href ? [t('Sign in to see the audit log'), t('You will be brought back to this page.')]
        : [t('A link is needed'), t('The audit log opens from a link that your application gives you.')],
      unreachable: [t('The server can’t be reached'), t('Check the connection; nothing was lost.')],
    }[state];
    const way = state !== 'unreachable' && /^https?:/i.test(this.href);
    return html`<main><div class="state" role="alert">${icon(state === 'unreachable' ? 'offline' : 'link')}<h1>${title}</h1><p>${text}</p>
      ${state === 'unreachable' ? html`<div class="row"><button class="btn" @click=${() => this.emit('retry')}>${t('Try again')}</button></div>` : nothing}
      ${way ? html`<div class="row"><a class="btn primary" href=${this.href}>${this.brand ? t('Continue to {name}', { name: plain(this.brand) }) : t('Continue')}</a></div>` : nothing}</div></main>`;
  }

  static override styles = [theme, controls, forms, css`
    :host, main { display: grid; min-block-size: 100dvh; }
  `];
}
