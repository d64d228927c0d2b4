/** What the pages beside the log have in common: their frame, their lists, and how they load. */
import { css, html, nothing } from 'lit';
import { state } from './decorators.js';
import { timeTag } from './amounts.js';
import { Problem, type Query } from './client.js';
import { RecountElement } from './element.js';
import type { I18n } from './i18n.js';
import { icon } from './more-icons.js';
import '../log/states.js';

const SKELETON_DELAY_MS = 150;
const COPIED_MS = 2000;

interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}

/** An element that shows one list of the API, page by page. */
export class PageElement<T> extends RecountElement {
  @state() protected items?: T[];
  /** Where the list goes on, if it does. */
  @state() private next?: string;
  @state() protected problem?: Problem;
  /** A failure of something asked for, beside what is already shown. */
  @state() protected failure?: Problem;
  @state() protected busy = false;
  @state() protected copied = '';
  @state() private slow = false;
  protected path = '';
  protected query: Query = {};

  protected override sessionChanged(): void {
    void this.load();
  }

  protected async load(): Promise<void> {
    const timer = setTimeout(() => (this.slow = true), SKELETON_DELAY_MS);
    try {
      this.#take([], await this.#page());
      this.problem = undefined;
    } catch (error) {
      this.problem = Problem.of(error);
      this.emitError(this.problem);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Looks again at as much as is shown, so that nothing disappears from under the reader. */
  protected async refresh(): Promise<void> {
    const shown = this.items?.length ?? 0;
    let page = await this.#page();
    let before: T[] = [];
    while (page.next_cursor && before.length + page.data.length < shown) {
      before = [...before, ...page.data];
      page = await this.#page(page.next_cursor);
    }
    this.#take(before, page);
  }

  #page(cursor?: string | null): Promise<Page<T>> {
    return this.context.client.get<Page<T>>(this.path, { ...this.query, cursor: cursor ?? undefined });
  }

  #take(before: T[], page: Page<T>): void {
    this.items = [...before, ...page.data];
    this.next = page.next_cursor ?? undefined;
  }

  /** The way to the rest of the list. */
  protected more() {
    return this.next ? html`<div class="more"><button class="btn" ?disabled=${this.busy} @click=${() => this.act(async () => this.#take(this.items!, await this.#page(this.next)))}>${this.t('Show more')}</button></div>` : nothing;
  }

  /** Does something once at a time and shows how it failed. */
  protected async act(work: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.failure = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      this.failure = Problem.of(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  protected async confirmCopy(what: string): Promise<void> {
    this.copied = what;
    await new Promise((done) => setTimeout(done, COPIED_MS));
    if (this.copied === what) this.copied = '';
  }

  protected when(time: string | null | undefined) {
    return timeTag(this.context.i18n, time);
  }

  protected failureNote() {
    return problemNote(this.context.i18n, this.failure);
  }

  protected top(title: string, about: string, action: unknown = nothing) {
    return html`<div class="top"><div><h1>${title}</h1><p>${about}</p></div>${action}</div>`;
  }

  /** The list as a table, or what stands in its place while it is empty. */
  protected list(table: (items: T[]) => unknown, empty: () => [icon: Parameters<typeof icon>[0], title: string, text: string]) {
    return this.body((items) => {
      const [name, title, text] = empty();
      return html`<div class="list">${items.length ? table(items) : html`<div class="state">${icon(name)}<h2>${title}</h2><p>${text}</p></div>`}</div>${this.more()}`;
    });
  }

  protected override updated(): void {
    nameCells(this.renderRoot);
  }

  /** Loading, failed, or the list. */
  protected body(list: (items: T[]) => unknown) {
    if (this.problem) return html`<recount-problem .app=${this.context} .problem=${this.problem} @retry=${() => (this.problem?.status !== 401 || this.askReload()) && this.load()}></recount-problem>`;
    if (!this.items) return this.slow ? html`<div class="skeleton" role="status" aria-label=${this.t('Loading…')}>${[1, 2, 3].map(() => html`<i></i>`)}</div>` : nothing;
    return list(this.items);
  }
}

/** What failed beside what is shown, with the id under which the server's log has it. */
export const problemNote = (i18n: I18n, problem: Problem | undefined) =>
  (problem ? html`<p class="note bad" role="alert">${icon('alert')}<span class="any">${i18n.problem(problem)}
    ${problem.requestId ? html`<br /><span class="hint">${i18n.t('Error id')} <code>${problem.requestId}</code></span>` : nothing}</span></p>` : nothing);

/** A state in a word and a tone. */
export const badge = (tone: string, text: unknown) => html`<span class="badge ${tone}"><span class="dot"></span>${text}</span>`;

/** A dialog that asks before it does. Its button does `act`, which closes the dialog unless it answers `false`. */
export function question(t: I18n['t'], id: string, { title, text, button, tone = 'primary', more, act }: {
  title: string; text: string; button: string; tone?: 'primary' | 'destructive'; more?: unknown; act: (data: FormData) => Promise<boolean>;
}) {
  const dialogOf = (event: Event) => (event.target as Element).closest('dialog')!;
  return html`<dialog id=${id} aria-labelledby=${`${id}-title`}><form @submit=${async (event: Event) => {
    event.preventDefault();
    const dialog = dialogOf(event);
    if (await act(new FormData(event.target as HTMLFormElement))) dialog.close();
  }}><h2 id=${`${id}-title`}>${title}</h2><p>${text}</p>${more}
    <div class="actions"><button type="button" class="btn" @click=${(event: Event) => dialogOf(event).close()}>${t('Cancel')}</button><button class="btn ${tone}">${button}</button></div></form></dialog>`;
}

/** Tells each cell the name of its column, which stands beside it where a table has no room for a head. */
export function nameCells(root: ParentNode): void {
  for (const cell of root.querySelectorAll<HTMLTableCellElement>('tbody td')) {
    cell.dataset['column'] = cell.closest('table')?.tHead?.rows[0]?.cells[cell.cellIndex]?.textContent ?? '';
  }
}

/** The head of a table; `last` names a column of buttons for those who cannot see it. */
export const tableHead = (labels: readonly string[], last?: string) => html`<thead><tr>${labels.map((label) => html`<th scope="col">${label}</th>`)}${last ? html`<th><span class="sr">${last}</span></th>` : nothing}</tr></thead>`;

export const pageStyles = css`
  :host { container: recount-page / inline-size; }
  .page { display: grid; gap: 16px; max-inline-size: 1080px; margin-inline: auto; padding: var(--recount-padding, 28px 24px 48px); }
  .top { display: flex; align-items: flex-start; justify-content: space-between; gap: 12px 24px; flex-wrap: wrap; }
  .top p { color: var(--_muted); max-inline-size: 64ch; margin-block-start: 4px; text-wrap: pretty; }
  .list { border: 1px solid var(--_border); border-radius: var(--_radius); overflow: auto; background: var(--_bg); }
  table { inline-size: 100%; border-collapse: collapse; text-align: start; }
  th { padding: 0 12px; block-size: 34px; text-align: start; font-weight: 500; color: var(--_muted); background: var(--_surface); white-space: nowrap; }
  td { padding: 10px 12px; vertical-align: top; border-block-start: 1px solid var(--_border); }
  tbody tr:hover { background: var(--_surface); }
  td.end { text-align: end; white-space: nowrap; }
  td .btn { margin-block: -5px; }
  td small { display: block; color: var(--_muted); font-size: 0.925em; line-height: 18px; }
  .badge { display: inline-flex; align-items: center; gap: 6px; font-weight: 500; white-space: nowrap; }
  .hash { display: inline-block; max-inline-size: 14ch; vertical-align: bottom; }
  .skeleton { display: grid; gap: 1px; }
  .skeleton i { block-size: 44px; border-radius: 6px; background: var(--_surface); }
  .list .state { min-block-size: 260px; }
  .more { display: flex; justify-content: center; }
  @container recount-page (max-width: 640px) {
    .page { padding: var(--recount-padding, 20px 16px 40px); }
    table, tbody, tr, td { display: block; }
    thead { position: absolute; clip-path: inset(50%); }
    tr { padding: 8px 0; } tr + tr { border-block-start: 1px solid var(--_border); }
    td { border: 0; padding: 4px 12px; } td:empty { display: none; }
    td:not(:first-child, .end) { position: relative; padding-inline-start: 118px; }
    td:not(:first-child, .end)::before { content: attr(data-column); position: absolute; inset-inline-start: 12px; color: var(--_muted); }
    td.end { text-align: start; padding-block: 8px; }
  }
`;
