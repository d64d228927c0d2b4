/** Views that people saved: private or shared in the tenant, one of them the view to start with. */
import { css, html, nothing } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { Problem } from '../base/client.js';
import { icon } from '../base/more-icons.js';
import { define, Part } from '../base/part.js';
import { moveInMenu, openPopover } from '../base/popover.js';
import { controls, forms } from '../base/styles.js';
import { savedPart, type View } from '../model/view.js';

export interface SavedView {
  id: string;
  name: string;
  shared: boolean;
  default: boolean;
  /** Whether this credential may change it. */
  owned: boolean;
  view: Partial<ReturnType<typeof savedPart>>;
}

@define('recount-saved-views')
export class SavedViews extends Part {
  @property({ attribute: false }) view!: View;
  @state() private views?: SavedView[];
  @state() private problem?: Problem;
  @query('[popover]') private panel!: HTMLElement;
  @query('dialog') private dialog!: HTMLDialogElement;
  #loading?: Promise<SavedView[]>;

  /** The saved views, read once. */
  load(): Promise<SavedView[]> {
    this.#loading ??= this.app.client.get<{ data: SavedView[] }>('/v1/saved-views').then(({ data }) => (this.views = data));
    this.#loading.catch((error: unknown) => {
      this.#loading = undefined;
      this.problem = Problem.of(error);
    });
    return this.#loading;
  }

  get #current(): SavedView | undefined {
    return this.views?.find(({ id }) => id === this.view.saved);
  }

  /** Whether what is shown differs from the saved view that it started from. */
  get #dirty(): boolean {
    const kept = this.#current?.view;
    return !!kept && JSON.stringify({ ...savedPart(this.view), ...kept }) !== JSON.stringify(savedPart(this.view));
  }

  open(): void {
    void this.load().catch(() => {});
    openPopover(this.panel, this.renderRoot.querySelector('button')!, 'end');
    this.panel.querySelector<HTMLElement>('button')?.focus();
  }

  async #change(work: () => Promise<unknown>): Promise<void> {
    this.problem = undefined;
    try {
      await work();
      this.#loading = undefined;
      await this.load();
    } catch (error) {
      this.problem = Problem.of(error);
    }
  }

  #put(saved: SavedView, change: Partial<SavedView>): Promise<void> {
    const { name, shared, view } = { ...saved, ...change };
    return this.#change(() => this.app.client.send('PUT', `/v1/saved-views/${encodeURIComponent(saved.id)}`, { name, shared, default: change.default ?? saved.default, view }));
  }

  #save = (event: Event): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const body = { name: String(data.get('name')).trim(), shared: data.has('shared'), default: data.has('default'), view: savedPart(this.view) };
    void this.#change(async () => {
      const { id } = await this.app.client.send<SavedView>('POST', '/v1/saved-views', body);
      this.dialog.close();
      this.tell('saved', id);
    });
  };

  override render() {
    const { t } = this;
    const current = this.#current;
    const groups: [string, SavedView[]][] = [
      [t('My views'), this.views?.filter((view) => !view.shared) ?? []],
      [t('Shared views'), this.views?.filter((view) => view.shared) ?? []],
    ];
    return html`
      <button class="btn" part="views" aria-haspopup="menu" @click=${() => this.open()}>${icon('bookmark')}<span class="clip">${current ? html`<bdi>${current.name}</bdi>` : t('Views')}</span>
        ${this.#dirty ? html`<span class="dot dirty" title=${t('Changed since it was saved')}></span><span class="sr">${t('Changed since it was saved')}</span>` : nothing}</button>
      <div popover role="dialog" aria-label=${t('Saved views')} @keydown=${(event: KeyboardEvent) => { moveInMenu(event); if (event.key !== 'Escape') event.stopPropagation(); }}>
        ${current && this.#dirty ? html`
          <button class="item" @click=${() => this.#put(current, { view: savedPart(this.view) })}>${icon('check')}${t('Save changes to “{name}”', { name: current.name })}</button>
          <button class="item" @click=${() => { this.panel.hidePopover(); this.tell('apply', current); }}>${icon('x')}${t('Discard changes')}</button>` : nothing}
        <button class="item" @click=${() => { this.panel.hidePopover(); this.dialog.querySelector('form')!.reset(); this.dialog.showModal(); }}>${icon('plus')}${t('Save this view…')}</button>
        ${groups.map(([title, list]) => (list.length ? html`<hr class="rule" /><p class="hint title">${title}</p>${list.map((saved) => html`
          <div class="line"><button class="item grow" aria-current=${saved === current ? 'true' : nothing} @click=${() => { this.panel.hidePopover(); this.tell('apply', saved); }}>
              ${icon(saved === current ? 'check' : 'bookmark')}<bdi class="grow clip">${saved.name}</bdi></button>
            ${saved.owned ? html`<button class="btn ghost small square" aria-pressed=${saved.default} aria-label=${t('Start with “{name}”', { name: saved.name })} title=${t('Start with this view')}
              @click=${() => this.#put(saved, { default: !saved.default })}>${icon('star')}</button>` : nothing}
            ${!saved.owned ? nothing : html`<button class="btn ghost small square" aria-label=${t('Delete “{name}”', { name: saved.name })} title=${t('Delete')}
              @click=${() => this.#change(() => this.app.client.send('DELETE', `/v1/saved-views/${encodeURIComponent(saved.id)}`))}>${icon('trash')}</button>`}</div>`)}` : nothing))}
        ${this.views?.length === 0 ? html`<p class="hint title">${t('No saved views yet. A view keeps filter, range, zone, order and columns.')}</p>` : nothing}
        ${this.problem ? html`<p class="mistake title" role="alert">${this.problem.detail}</p>` : nothing}
      </div>
      <dialog aria-labelledby="title" @keydown=${(event: Event) => event.stopPropagation()}><form @submit=${this.#save}>
        <h2 id="title">${t('Save this view')}</h2>
        <label class="field"><span>${t('Name')}</span><input class="input" name="name" required maxlength="100" autocomplete="off" /></label>
        <div><label class="check"><input type="checkbox" name="shared" />${t('Share with everyone in this organisation')}</label>
          <label class="check"><input type="checkbox" name="default" />${t('Start with this view')}</label></div>
        ${this.problem ? html`<p class="mistake" role="alert">${this.problem.detail}</p>` : nothing}
        <div class="actions"><button type="button" class="btn" @click=${() => this.dialog.close()}>${t('Cancel')}</button><button class="btn primary">${t('Save')}</button></div>
      </form></dialog>`;
  }

  static override styles = [controls, forms, css`
    :host { min-inline-size: 0; }
    :host > .btn { inline-size: 100%; max-inline-size: 200px; }
    .dirty { color: var(--_warn); }
    [popover] { inline-size: 300px; }
    .title { padding: 2px 8px; }
    .line { display: flex; align-items: center; }
    .line [aria-pressed='true'] .icon { fill: currentColor; }
  `];
}
