/** `<recount-exports>`: the export jobs of a tenant, their files and checksums. */
import { html, nothing } from 'lit';
import { icon } from '../base/more-icons.js';
import { bytesText } from '../base/amounts.js';
import type { Message } from '../base/i18n.js';
import { badge, PageElement, pageStyles, tableHead } from '../base/page.js';
import { define } from '../base/part.js';
import { controls, forms, theme } from '../base/styles.js';
import { copyText } from '../base/clipboard.js';
import { plain } from '../base/text.js';
import { partyName } from '../model/event.js';
import { downloadJob, type ExportJob } from '../model/export.js';

const POLL_MS = 1500;
const STATES: Record<ExportJob['state'], [Message, string]> = {
  queued: ['Waiting', 'muted'], running: ['In progress', 'muted'], ready: ['Ready', 'ok'], failed: ['Failed', 'danger'], expired: ['Expired', 'muted'],
};

@define('recount-exports')
export class RecountExports extends PageElement<ExportJob> {
  protected override path = '/v1/exports';
  #timer = 0;

  override disconnectedCallback(): void {
    clearTimeout(this.#timer);
    super.disconnectedCallback();
  }

  protected override async load(): Promise<void> {
    clearTimeout(this.#timer);
    await super.load();
    this.#watch();
  }

  /** Looks again while something is being made. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.isConnected && this.items?.some(({ state }) => state === 'queued' || state === 'running')) {
      this.#timer = window.setTimeout(() => void this.refresh().then(() => this.#watch(), () => this.load()), POLL_MS);
    }
  }

  override render() {
    const { t } = this;
    return html`<div class="page">
      ${this.top(t('Exports'), t('Files made from the log. Each was written from one state of it, and its SHA-256 tells whether a copy is whole.'))}
      ${this.failureNote()}
      ${this.list((jobs) => this.#table(jobs), () => ['download', t('No exports yet'), t('Filter the events you need, then choose Export. Large ones are prepared here.')])}
    </div>`;
  }

  #table(jobs: ExportJob[]) {
    const { t, context: { i18n } } = this;
    return html`<table>${tableHead([t('Name'), t('State'), t('Size'), 'SHA-256', t('Until')], t('Download'))}
      <tbody>${jobs.map((job) => {
        const [label, tone] = STATES[job.state];
        return html`<tr>
          <td><bdi class="any">${plain(job.name || job.id)}</bdi><small>${this.when(job.created_at)}${job.actor ? html` · <bdi>${partyName(job.actor)}</bdi>` : nothing}</small>
            ${job.filter ? html`<small><code class="any">${plain(job.filter)}</code></small>` : nothing}</td>
          <td>${badge(tone, t(label))}
            ${job.state === 'running' ? html`<small>${t('{n} row|{n} rows', { n: job.rows ?? 0 })}</small>` : nothing}
            ${job.error ? html`<small class="danger any">${plain(job.error)}</small>` : nothing}</td>
          <td>${job.bytes ? html`${bytesText(i18n, job.bytes)}<small>${t('{n} row|{n} rows', { n: job.rows ?? 0 })}</small>` : nothing}</td>
          <td>${job.sha256 ? html`<span class="row"><code class="clip hash" title=${job.sha256}>${job.sha256}</code>
            <button class="btn ghost small square" title=${t('Copy SHA-256')} @click=${() => { void copyText(job.sha256!); void this.confirmCopy(job.id); }}>${icon(this.copied === job.id ? 'check' : 'copy')}</button></span>` : nothing}</td>
          <td>${job.expires_at ? this.when(job.expires_at) : nothing}</td>
          <td class="end">${job.state === 'ready' ? html`<button class="btn small" ?disabled=${this.busy} @click=${() => this.act(() => downloadJob(this.context.client, job))}>${icon('download')}${t('Download')}</button>` : nothing}</td>
        </tr>`;
      })}</tbody></table><span class="sr" role="status">${this.copied ? t('Copied') : ''}</span>`;
  }

  static override styles = [theme, controls, forms, pageStyles];
}
