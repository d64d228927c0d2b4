/** One stream: its health, its test, its attempts and what was refused, each with a way to repair it. */
import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from '../base/decorators.js';
import { agoText, timeTag } from '../base/amounts.js';
import { Problem } from '../base/client.js';
import { icon } from '../base/more-icons.js';
import { badge, nameCells, pageStyles, problemNote, question, tableHead } from '../base/page.js';
import { define, Part } from '../base/part.js';
import { controls, forms } from '../base/styles.js';
import { plain, valueText } from '../base/text.js';
import { FORMAT_NAMES, kindOf } from './destinations.js';
import { stateOf, wallInstant, type Attempt, type DeadLetter, type Stream } from './stream.js';
import { streamStyles } from './stream-styles.js';

/** The answer of a test: one real send. */
interface TestAnswer extends Attempt {
  passed: boolean;
}

@define('recount-stream-detail')
export class StreamDetail extends Part {
  @property({ attribute: false }) stream!: Stream;
  @state() private attempts?: Attempt[];
  @state() private refused?: DeadLetter[];
  @state() private test?: TestAnswer;
  @state() private doing = '';
  @state() private problem?: Problem;
  @query('#replay') private replayDialog!: HTMLDialogElement;
  @query('#delete') private deleteDialog!: HTMLDialogElement;
  @query('#override') private overrideDialog!: HTMLDialogElement;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('stream')) void this.#load();
  }

  protected override updated(): void {
    nameCells(this.renderRoot);
  }

  get #path(): string {
    return `/v1/streams/${encodeURIComponent(this.stream.id)}`;
  }

  async #load(): Promise<void> {
    const list = <T>(what: string) => this.app.client.get<{ data: T[] }>(`${this.#path}/${what}`).then(({ data }) => data, () => []);
    [this.attempts, this.refused] = await Promise.all([list<Attempt>('attempts'), list<DeadLetter>('dead-letters')]);
  }

  async #act(what: string, body?: unknown): Promise<boolean> {
    this.doing = what;
    this.problem = undefined;
    try {
      const answer = await this.app.client.send<TestAnswer>('POST', `${this.#path}/${what}`, body ?? {});
      if (what === 'test') this.test = answer;
      this.tell('changed');
      await this.#load();
      return true;
    } catch (error) {
      this.problem = Problem.of(error);
      return false;
    } finally {
      this.doing = '';
    }
  }

  override render() {
    const { t, stream } = this;
    const { i18n } = this.app;
    const { label, tone } = stateOf(stream);
    const kind = kindOf(stream.destination);
    const button = (what: string, text: string, extra = '') => html`<button class="btn ${extra}" ?disabled=${!!this.doing} @click=${() => this.#act(what)}>${text}</button>`;
    return html`<div class="stack">
      <div class="top"><div><h1><bdi class="any">${plain(stream.name)}</bdi></h1>
          <p class="row wrap">${badge(tone, t(label))}<span>${kind?.title ?? stream.destination.type} · ${FORMAT_NAMES[stream.format] ?? stream.format}</span></p></div>
        <div class="row wrap">
          ${stream.status === 'active' ? button('pause', t('Pause')) : stream.status === 'paused' || stream.status === 'disabled' ? button('resume', t('Resume'), 'primary') : nothing}
          ${stream.status === 'draft' ? nothing : html`<button class="btn" @click=${() => this.replayDialog.showModal()}>${t('Replay from…')}</button>`}
          <button class="btn destructive" title=${t('Delete')} @click=${() => this.deleteDialog.showModal()}>${icon('trash')}</button></div></div>
      ${problemNote(this.app.i18n, this.problem)}
      ${stream.status_reason ? html`<p class="note wary">${icon('alert')}<span class="any">${plain(stream.status_reason)}</span></p>` : nothing}
      ${stream.status === 'draft' ? nothing : html`<dl class="facts">
        <div><dt>${t('Behind')}</dt><dd>${t('{n} event|{n} events', { n: stream.lag?.events ?? 0 })}<small>${stream.lag?.events ? agoText(i18n, -(stream.lag.seconds ?? 0) * 1000, 0) : t('up to date')}</small></dd></div>
        ${stream.lag?.cut_off_at && tone !== 'ok' ? html`<div><dt>${t('Kept until')}</dt><dd>${timeTag(i18n, stream.lag.cut_off_at)}</dd></div>` : nothing}
        <div><dt>${t('Delivered')}</dt><dd>${i18n.number(stream.delivered)}</dd></div>
        <div><dt>${t('Last success')}</dt><dd>${timeTag(i18n, stream.last_success_at)}</dd></div>
        <div><dt>${t('Refused events')}</dt><dd class=${stream.dead_letters ? 'danger' : ''}>${i18n.number(stream.dead_letters)}</dd></div></dl>`}
      ${stream.last_error && tone !== 'ok' ? html`<section class="card"><div class="cardhead"><h2>${t('Last error')}</h2><span class="muted">${timeTag(this.app.i18n, stream.last_error_at)}${stream.retry_at ? html` · ${t('next try {time}', { time: agoText(i18n, Date.parse(stream.retry_at), Date.now()) })}` : nothing}</span></div>
        <div class="inner"><pre>${plain(stream.last_error)}</pre></div></section>` : nothing}
      ${this.#testCard()}
      ${this.#attempts()}
      ${this.#refused()}
      ${this.#config()}
      ${this.#dialogs()}
    </div>`;
  }

  #testCard() {
    const { t, stream, test } = this;
    const passed = test?.passed ?? !!stream.tested_at;
    return html`<section class="card"><div class="cardhead"><h2>${t('Test')}</h2>
        <button class="btn small" ?disabled=${!!this.doing} @click=${() => this.#act('test')}>${this.doing === 'test' ? t('Sending…') : t('Send test event')}</button></div>
      <div class="inner" role="status">
        ${test ? html`<p class="note ${test.passed ? 'good' : 'bad'}">${icon(test.passed ? 'check' : 'alert')}<span>${test.passed ? t('The destination accepted the test event.') : t('The destination did not accept the test event.')}
            ${test.status ? html` <strong>${test.status}</strong>` : nothing} · ${t('{n} ms', { n: Math.round(test.took_ms) })}${test.reason ? html`<br /><span class="any">${plain(test.reason)}</span>` : nothing}</span></p>
          ${test.request ? html`<div class="field"><span>${t('Request')}</span><pre>${plain(test.request)}</pre></div>` : nothing}
          ${test.answer ? html`<div class="field"><span>${t('Answer')}</span><pre>${plain(test.answer)}</pre></div>` : nothing}`
          : html`<p class="muted">${stream.tested_at ? html`${t('Passed')} ${timeTag(this.app.i18n, stream.tested_at)}` : t('Sends one event that is marked as a test, and shows what came back.')}</p>`}
        ${stream.egress_addresses?.length ? html`<p class="hint">${t('Requests come from')} ${stream.egress_addresses.map((address) => html`<code>${address}</code> `)}</p>` : nothing}
        ${stream.status === 'draft' ? html`<div class="row wrap"><button class="btn primary" ?disabled=${!passed || !!this.doing} @click=${() => this.#act('enable')}>${t('Enable')}</button>
          ${passed ? nothing : html`<span class="muted">${t('Enabling needs a passed test.')}</span><button class="link" @click=${() => this.overrideDialog.showModal()}>${t('Enable anyway')}</button>`}</div>` : nothing}
      </div></section>`;
  }

  #attempts() {
    const { t, attempts } = this;
    if (!attempts?.length) return nothing;
    return html`<section class="stack"><h2>${t('Attempts')}</h2><div class="list"><table>
      ${tableHead([t('When'), t('Result'), t('Events'), t('Took'), t('Answer')])}
      <tbody>${attempts.map((attempt) => {
        const good = ['delivered', 'accepted', 'passed'].includes(attempt.outcome);
        return html`<tr><td>${timeTag(this.app.i18n, attempt.at)}</td>
          <td>${badge(good ? 'ok' : 'danger', attempt.status ?? plain(attempt.outcome))}</td>
          <td>${this.app.i18n.number(attempt.events)}<small>${attempt.first_seq}${attempt.events > 1 ? `–${attempt.last_seq}` : nothing}</small></td>
          <td>${t('{n} ms', { n: Math.round(attempt.took_ms) })}</td>
          <td>${attempt.reason ? html`<small class="any">${plain(attempt.reason)}</small>` : nothing}${attempt.request || attempt.answer ? html`<details><summary>${t('Show')}</summary>${attempt.request ? html`<pre>${plain(attempt.request)}</pre>` : nothing}${attempt.answer ? html`<pre>${plain(attempt.answer)}</pre>` : nothing}</details>` : nothing}</td></tr>`;
      })}</tbody></table></div></section>`;
  }

  #refused() {
    const { t, refused } = this;
    if (!refused?.length) return nothing;
    return html`<section class="stack"><div class="top"><div><h2>${t('Refused events')}</h2><p>${t('The destination refused these for good. They stay in the log; the stream went on without them.')}</p></div>
        <button class="btn small" ?disabled=${!!this.doing} @click=${() => this.#act('dead-letters/replay')}>${t('Send again')}</button></div>
      <div class="list"><table>${tableHead([t('Event'), t('When'), t('Reason')])}
        <tbody>${refused.map((letter) => html`<tr><td><code class="any">${plain(letter.event_id)}</code></td><td>${timeTag(this.app.i18n, letter.at)}</td><td class="any">${plain(letter.reason)}</td></tr>`)}</tbody></table></div></section>`;
  }

  #config() {
    const { t, stream } = this;
    const { type: _, ...config } = stream.destination;
    return html`<section class="card"><h2>${t('Settings')}</h2><dl class="inner config">
      ${stream.filter ? html`<div><dt>${t('Filter')}</dt><dd><code class="any">${plain(stream.filter)}</code></dd></div>` : nothing}
      ${Object.entries(config).filter(([, value]) => value !== null && value !== '').map(([name, value]) => html`<div><dt class="mono">${name}</dt><dd><code class="any">${plain(valueText(value))}</code></dd></div>`)}
    </dl></section>`;
  }

  #dialogs() {
    const { t, stream } = this;
    return html`${question(t, 'replay', {
      title: t('Replay from…'), text: t('The stream goes back to this time and sends everything since again. Events keep their ids, so a destination can drop what it has.'), button: t('Replay'),
      more: html`<label class="field"><span>${t('Time')}</span><input class="input" type="datetime-local" name="time" required /></label>`,
      act: (data) => this.#act('replay', { from: wallInstant(data) }),
    })}${question(t, 'override', {
      title: t('Enable without a passed test?'), text: t('That this was done without a test is recorded in the log.'), button: t('Enable anyway'),
      act: () => this.#act('enable', { without_test: true }),
    })}${question(t, 'delete', {
      title: t('Delete “{name}”?', { name: plain(stream.name) }), text: t('Nothing more is sent, and its place in the log is forgotten.'), button: t('Delete'), tone: 'destructive',
      act: async () => {
        try {
          await this.app.client.send('DELETE', this.#path);
          this.tell('gone');
        } catch (error) {
          this.problem = Problem.of(error);
        }
        return true;
      },
    })}`;
  }

  static override styles = [controls, forms, pageStyles, streamStyles];
}
