/** `<recount-keys>`: the tenant's API keys, made within one's own rights and shown once. */
import { html } from 'lit';
import { query, state } from '../base/decorators.js';
import type { Me } from '../base/client.js';
import { icon } from '../base/more-icons.js';
import type { Message } from '../base/i18n.js';
import { PageElement, pageStyles, question, tableHead } from '../base/page.js';
import { define } from '../base/part.js';
import { controls, forms, theme } from '../base/styles.js';
import { copyButton, copyText } from '../base/clipboard.js';
import { plain } from '../base/text.js';
import { DAY_MS } from '../model/time.js';

interface Key {
  id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at?: string | null;
  last_used_at?: string | null;
}

const SCOPES: readonly [string, Message][] = [
  ['events:read', 'Read events'], ['exports:write', 'Take exports'], ['streams:manage', 'Manage streams'], ['keys:manage', 'Manage keys'], ['proof:read', 'Read proofs'],
];
const LIVES_DAYS = [30, 90, 365];

@define('recount-keys')
export class RecountKeys extends PageElement<Key> {
  protected override path = '/v1/keys';
  protected override query = { revoked: false };
  @state() private me?: Me;
  /** The text of the key that was just made; nowhere else, and gone with the dialog. */
  @state() private made = '';
  @state() private revoking?: Key;
  @query('#create') private createDialog!: HTMLDialogElement;
  @query('#revoke') private revokeDialog!: HTMLDialogElement;

  protected override sessionChanged(): void {
    super.sessionChanged();
    void this.context.client.me().then((me) => (this.me = me), () => {});
  }

  #create = (event: Event): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const days = Number(data.get('days'));
    void this.act(async () => {
      const { key } = await this.context.client.send<{ key: string }>('POST', '/v1/keys', {
        name: String(data.get('name')).trim(), scopes: data.getAll('scope'), expires_at: new Date(Date.now() + days * DAY_MS).toISOString(),
      });
      this.made = key;
      await this.load();
    });
  };

  override render() {
    const { t } = this;
    return html`<div class="page">
      ${this.top(t('API keys'), t('Keys let your own tools read this log. A key can do no more than the person who makes it, and making and revoking one is an event in the log.'),
        html`<button class="btn primary" @click=${() => { this.made = ''; this.failure = undefined; this.createDialog.showModal(); }}>${icon('plus')}${t('Create key')}</button>`)}
      ${this.list((keys) => this.#table(keys), () => ['key', t('No keys yet'), t('Create one for each tool that reads the log, so that each can be revoked alone.')])}
      ${this.#createForm()}${this.#revokeForm()}
    </div>`;
  }

  #table(keys: Key[]) {
    const { t } = this;
    return html`<table>${tableHead([t('Name'), t('May'), t('Created'), t('Last used'), t('Expires')], t('Revoke'))}
      <tbody>${keys.map((key) => {
        const over = key.expires_at && Date.parse(key.expires_at) < Date.now();
        return html`<tr>
          <td><bdi class="any">${plain(key.name)}</bdi><small class="mono">${key.id}</small></td>
          <td>${key.scopes.map((scope) => { const known = SCOPES.find(([name]) => name === scope); return html`<div>${known ? t(known[1]) : html`<code>${scope}</code>`}</div>`; })}</td>
          <td>${this.when(key.created_at)}</td>
          <td>${this.when(key.last_used_at)}</td>
          <td>${over ? html`<span class="danger">${t('Expired')}</span>` : this.when(key.expires_at)}</td>
          <td class="end"><button class="btn small destructive" @click=${() => { this.revoking = key; this.failure = undefined; this.revokeDialog.showModal(); }}>${t('Revoke')}</button></td>
        </tr>`;
      })}</tbody></table>`;
  }

  #createForm() {
    const { t } = this;
    const allowed = SCOPES.filter(([scope]) => this.me?.scopes.includes(scope) || this.me?.scopes.includes('operator'));
    const { i18n } = this.context;
    return html`<dialog id="create" aria-labelledby="create-title" @close=${() => (this.made = '')}>
      ${this.made ? html`<div class="stack">
        <h2 id="create-title">${t('Your new key')}</h2>
        <p>${t('Copy it now. It is not stored and can’t be shown again.')}</p>
        <div class="note"><code class="any grow" id="key">${this.made}</code>
          ${copyButton(t, !!this.copied, () => { void copyText(this.made); void this.confirmCopy('key'); })}</div>
        <div class="actions"><button class="btn primary" @click=${() => this.createDialog.close()}>${t('Done')}</button></div></div>`
        : html`<form @submit=${this.#create}>
        <h2 id="create-title">${t('Create key')}</h2>
        <label class="field"><span>${t('Name')}</span><input class="input" name="name" required maxlength="100" autocomplete="off" placeholder=${t('What will use it')} /></label>
        <fieldset><legend class="legend">${t('It may')}</legend>${allowed.map(([scope, label]) => html`
          <label class="check"><input type="checkbox" name="scope" value=${scope} ?checked=${scope === 'events:read'} />${t(label)} <code class="muted">${scope}</code></label>`)}</fieldset>
        <label class="field"><span>${t('Valid for')}</span><select class="input" name="days">${LIVES_DAYS.map((days) => html`<option value=${days} ?selected=${days === 90}>${new Intl.NumberFormat(i18n.locale, { style: 'unit', unit: 'day', unitDisplay: 'long' }).format(days)}</option>`)}</select></label>
        ${this.failureNote()}
        <div class="actions"><button type="button" class="btn" @click=${() => this.createDialog.close()}>${t('Cancel')}</button><button class="btn primary" ?disabled=${this.busy}>${t('Create key')}</button></div>
      </form>`}</dialog>`;
  }

  #revokeForm() {
    const { t, revoking } = this;
    return question(t, 'revoke', {
      title: t('Revoke “{name}”?', { name: plain(revoking?.name) }), text: t('What uses it stops working within seconds. This can’t be undone.'),
      button: t('Revoke'), tone: 'destructive', more: this.failureNote(),
      act: async () => !!revoking && await this.act(() => this.context.client.send('DELETE', `/v1/keys/${encodeURIComponent(revoking.id)}`)) && this.act(() => this.refresh()),
    });
  }

  static override styles = [theme, controls, forms, pageStyles];
}
