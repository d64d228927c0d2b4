/** Says exactly what an export will hold, then makes it: rows, filter, range, zone and format are those of the view. */
import { css, html, nothing } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { Problem } from '../base/client.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import type { EventsQuery } from '../model/api.js';
import { downloadJob, exportNow, IMMEDIATE_ROWS_MAX, jobBody, type ExportFormat, type ExportJob } from '../model/export.js';
import { zoneName, type Range } from '../model/time.js';
import { columnLabel } from './cells.js';
import { rangeText } from './time-field.js';

const POLL_MS = 700;

/** What is to be exported, in words and as a query. */
export interface ExportSubject {
  query: EventsQuery;
  zone: string;
  columns: string[];
  range: Range;
  rows: number;
  exact: boolean;
}

@define('recount-export-dialog')
export class ExportDialog extends Part {
  @property({ attribute: false }) subject!: ExportSubject;
  /** Up to how many rows are exported at once. */
  @property({ type: Number }) rowsMax = IMMEDIATE_ROWS_MAX;
  @state() private format: ExportFormat = 'csv';
  @state() private busy = false;
  @state() private job?: ExportJob;
  @state() private problem?: Problem;
  @state() private done = false;
  @query('dialog') private dialog!: HTMLDialogElement;

  open(): void {
    this.job = this.problem = undefined;
    this.done = this.busy = false;
    this.dialog.showModal();
  }

  /** Whether the answer is small enough to pass through the page at once. */
  get #immediate(): boolean {
    return this.subject.exact && this.subject.rows <= this.rowsMax;
  }

  #start = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { query, zone, columns } = this.subject;
    const { client } = this.app;
    const exported = { query, format: this.format, columns, zone: zoneName(zone) };
    this.busy = true;
    this.problem = undefined;
    try {
      if (this.#immediate) {
        await exportNow(client, exported);
      } else {
        const name = query.filter.replace(/[^\w.@-]+/g, ' ').trim().slice(0, 80) || this.t('All events');
        let job = (this.job = await client.send<ExportJob>('POST', '/v1/exports', jobBody(exported, name)));
        while (job.state === 'queued' || job.state === 'running') {
          await new Promise((done) => setTimeout(done, POLL_MS));
          if (!this.dialog.open) return;
          this.job = job = await client.get<ExportJob>(`/v1/exports/${encodeURIComponent(job.id)}`);
        }
        if (job.state !== 'ready') throw new Problem(500, job.error ?? job.state);
        await downloadJob(client, job);
      }
      this.done = true;
    } catch (error) {
      this.problem = Problem.of(error);
    } finally {
      this.busy = false;
    }
  };

  override render() {
    const { t } = this;
    const { query: { filter, order }, zone, columns, range, rows, exact } = this.subject;
    const line = (label: string, value: unknown) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
    const formats: [ExportFormat, string, string][] = [
      ['csv', 'CSV', t('The columns of the view, for spreadsheets. Cells that look like formulas are escaped.')],
      ['ndjson', 'JSONL', t('Whole events, one per line, exactly as recorded.')],
      ['ndjson.gz', 'JSONL.gz', t('The same, compressed.')],
    ];
    const asShown = this.format === 'csv';
    return html`<dialog aria-labelledby="title" @keydown=${(event: Event) => event.stopPropagation()}><form @submit=${this.#start}>
      <h2 id="title">${t('Export events')}</h2>
      <dl>
        ${line(t('Rows'), html`<strong>${exact ? this.app.i18n.number(rows) : t('about {n}', { n: rows })}</strong>, ${order === 'asc' ? t('oldest first') : t('newest first')}`)}
        ${line(t('Filter'), filter ? html`<code class="any">${filter}</code>` : t('none: all events'))}
        ${line(t('Range'), rangeText(this.app, range, zoneName(zone)))}
        ${line(t('Time zone'), asShown ? zoneName(zone) : 'UTC')}
        ${asShown ? line(t('Columns'), columns.map((column) => columnLabel(t, column)).join(', ')) : nothing}
      </dl>
      <fieldset ?disabled=${this.busy}><legend class="legend">${t('Format')}</legend>
        ${formats.map(([value, name, hint]) => html`<label class="choice"><input type="radio" name="format" value=${value} .checked=${this.format === value} @change=${() => { this.format = value; this.done = false; }} />
          <span><strong>${name}</strong><br /><span class="hint">${hint}</span></span></label>`)}
      </fieldset>
      ${!this.#immediate && !this.job ? html`<p class="hint">${t('Exports of more than {n} rows are prepared on the server; the file stays on the Exports page.', { n: this.rowsMax })}</p>` : nothing}
      <div role="status">
        ${this.job && this.busy ? html`<progress max=${rows || 1} value=${this.job.rows ?? 0} aria-label=${t('Progress')}></progress>
          <p class="hint">${t('{done} of {n} rows', { done: this.job.rows ?? 0, n: rows })}</p>` : nothing}
        ${this.done ? html`<p class="note good">${icon('check')}<span>${t('Exported. The file is among your downloads.')}</span></p>` : nothing}
        ${this.problem ? html`<p class="note bad">${icon('alert')}<span class="any">${this.app.i18n.problem(this.problem)}</span></p>` : nothing}
      </div>
      <div class="actions">
        <button type="button" class="btn" @click=${() => this.dialog.close()}>${this.done ? t('Close') : t('Cancel')}</button>
        <button class="btn primary" ?disabled=${this.busy || this.done}>${icon('download')}${this.busy ? t('Exporting…') : t('Export')}</button>
      </div>
    </form></dialog>`;
  }

  static override styles = [controls, forms, css`
    dl { display: grid; gap: 4px; padding: 12px; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_surface); }
    dl > div { display: grid; grid-template-columns: 96px 1fr; gap: 12px; }
    dt { color: var(--_muted); }
    dd { min-inline-size: 0; overflow-wrap: anywhere; }
    fieldset { display: grid; gap: 4px; }
    legend { margin-block-end: 4px; }
    .choice { display: flex; gap: 10px; padding: 6px 0; cursor: pointer; }
    .choice input { margin-block-start: 3px; }
    progress { inline-size: 100%; block-size: 6px; accent-color: var(--_accent-fill); }
  `];
}
