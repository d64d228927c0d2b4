/** Setting a stream up: what its destination asks for, which events, and from where on. */
import { html, nothing } from 'lit';
import { property, state } from '../base/decorators.js';
import { Problem } from '../base/client.js';
import { copyButton, copyText } from '../base/clipboard.js';
import type { Message } from '../base/i18n.js';
import { pageStyles, problemNote } from '../base/page.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import { destinationOf, FORMAT_NAMES, type Destination, type Field } from './destinations.js';
import { wallInstant, type Stream } from './stream.js';
import { streamStyles } from './stream-styles.js';

@define('recount-stream-form')
export class StreamForm extends Part {
  @property({ attribute: false }) destination!: Destination;
  @state() private problem?: Problem;
  @state() private busy = false;
  @state() private start = 'now';
  /** A secret that the server made, shown this once. */
  @state() private made?: { id: string; secret: string };
  /** What the server assigned to this tenant for this destination. */
  @state() private assigned: Record<string, string> = {};
  @state() private copied = false;

  protected override firstUpdated(): void {
    if (this.destination.fields.some(({ assigned }) => assigned)) void this.#assigned();
  }

  async #assigned(): Promise<void> {
    const { data } = await this.app.client.get<{ data: { type: string; assigned: Record<string, string> }[] }>('/v1/streams/destinations');
    this.assigned = data.find(({ type }) => type === this.destination.type)?.assigned ?? {};
  }

  #create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    this.busy = true;
    this.problem = undefined;
    try {
      const stream = await this.app.client.send<Stream & { secrets?: { secret?: string }; secret?: string }>('POST', '/v1/streams', {
        name: String(data.get('name')).trim(),
        destination: destinationOf(this.destination, data),
        format: data.get('format'),
        filter: String(data.get('filter') ?? '').trim(),
        start: this.start === 'time' ? wallInstant(data) : this.start,
      });
      const secret = stream.secrets?.secret ?? stream.secret;
      if (secret) this.made = { id: stream.id, secret };
      else this.tell('created', stream.id);
    } catch (error) {
      this.problem = Problem.of(error);
    } finally {
      this.busy = false;
    }
  };

  override render() {
    const { t, destination } = this;
    if (this.made) {
      const { id, secret } = this.made;
      return html`<section class="stack"><h2>${t('Your signing secret')}</h2><p>${t('Copy it now. It is not stored and can’t be shown again.')}</p><pre class="mono">${secret}</pre>
        <div><button class="btn primary" @click=${() => this.tell('created', id)}>${t('Continue')}</button></div></section>`;
    }
    return html`<form class="grid" @submit=${this.#create}>
      <div><h1>${t('Stream to {name}', { name: destination.title })}</h1><p class="muted">${t(destination.about)}</p></div>
      <label class="field"><span>${t('Name')}</span><input class="input" name="name" required maxlength="100" autocomplete="off" .value=${destination.title} /></label>
      ${destination.fields.map((field) => this.#field(field))}
      <label class="field"><span>${t('Event format')}</span><select class="input" name="format">${destination.formats.map((format) => html`<option value=${format}>${FORMAT_NAMES[format]}</option>`)}</select></label>
      <label class="field"><span>${t('Only events that match')}</span><input class="input mono" name="filter" spellcheck="false" autocomplete="off" placeholder="-action:page.viewed" /><span class="hint">${t('In the filter language of the log; empty for all events.')}</span></label>
      <fieldset><legend class="legend">${t('Begin')}</legend>${([['now', t('with new events')], ['beginning', t('with the first event of the log')], ['time', t('at a point in time')]] as const).map(([value, label]) => html`
        <label class="check"><input type="radio" name="start" value=${value} .checked=${this.start === value} @change=${() => (this.start = value)} />${label}</label>`)}
        ${this.start === 'time' ? html`<input class="input" type="datetime-local" name="time" required aria-label=${t('at a point in time')} />` : nothing}</fieldset>
      ${problemNote(this.app.i18n, this.problem)}
      <div class="row"><button class="btn primary" ?disabled=${this.busy}>${t('Create and test')}</button><button type="button" class="btn" @click=${() => this.tell('cancel')}>${t('Cancel')}</button></div>
    </form>`;
  }

  #field({ name, label, kind, options, required, placeholder, hint, assigned }: Field) {
    const { t } = this;
    const id = `d.${name}`;
    const pointer = this.problem?.members['pointer'];
    const bad = typeof pointer === 'string' && pointer.endsWith(`/${name}`);
    if (kind === 'check') return html`<label class="check"><input type="checkbox" name=${id} />${t(label)}</label>`;
    return html`<label class="field"><span>${t(label)}${required ? nothing : html` <span class="hint">${t('optional')}</span>`}</span>
      ${options ? html`<select class="input" name=${id}>${options.map((option) => html`<option value=${option}>${optionName(t, option)}</option>`)}</select>`
        : kind === 'area' || kind === 'secret-area' ? html`<textarea class="input mono" rows="3" name=${id} spellcheck="false" autocomplete="off"></textarea>`
          : html`<input class="input" name=${id} type=${kind === 'secret' ? 'password' : kind === 'number' ? 'number' : 'text'} ?required=${required} placeholder=${placeholder ?? ''} spellcheck="false"
            autocomplete=${kind === 'secret' ? 'new-password' : 'off'} aria-invalid=${bad ? 'true' : nothing} />`}
      ${bad ? html`<span class="mistake">${this.problem!.detail}</span>` : hint || kind?.startsWith('secret') ? html`<span class="hint">${hint ? t(hint) : t('Kept encrypted; never shown again.')}</span>` : nothing}</label>
      ${assigned && this.assigned[assigned] ? this.#assignment(this.assigned[assigned]) : nothing}`;
  }

  /** The external id: without it in the role's trust policy, other tenants' streams could use the role. */
  #assignment(value: string) {
    const { t } = this;
    return html`<div class="note assigned"><div class="grow"><span>${t('The role’s trust policy must ask for this external id:')}</span> <code class="any">${value}</code></div>
      ${copyButton(t, this.copied, () => { void copyText(value); this.copied = true; })}</div>`;
  }

  static override styles = [controls, forms, pageStyles, streamStyles];
}

const OPTIONS: Record<string, Message> = { batch: 'many events each', single: 'one event each', none: 'none' };
const optionName = (t: (message: Message) => string, option: string): string => (OPTIONS[option] ? t(OPTIONS[option]) : option);
