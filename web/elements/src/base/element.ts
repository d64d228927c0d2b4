/** The base of the public elements: where the server is, whose session it is, and how it looks. */
import { LitElement, type PropertyValues } from 'lit';
import { property } from './decorators.js';
import { Client, type FetchSession, type Problem } from './client.js';
import { I18n, localeLoading } from './i18n.js';
import type { App } from './part.js';

/**
 * Attributes and properties that all `<recount-*>` elements share.
 *
 * @fires recount-expired - the session ended and could not be renewed
 * @fires recount-error - a request failed; `detail` is the problem
 * @fires recount-reload - the person wants the ended session to go on; a host that leads them elsewhere prevents the default
 */
export class RecountElement extends LitElement {
  /** Recount's address; by default the origin that this module was loaded from. */
  @property() server = new URL(import.meta.url).origin;
  /** A client token of `POST /v1/portal-sessions`, or a tenant's key. */
  @property() session = '';
  /** Only with an operator's key: whose log. */
  @property() tenant = '';
  /** A BCP 47 tag; by default the page's language. */
  @property() locale = '';
  /** `light`, `dark` or `auto` (the system's); by default the page's own `color-scheme`. */
  @property({ reflect: true }) theme?: 'light' | 'dark' | 'auto';
  /** Renews the session. Asked when there is no token and when one was refused. */
  @property({ attribute: false }) fetchSession?: FetchSession;
  /** A ready client, given by an element that holds this one. */
  @property({ attribute: false }) app?: App;

  /** Whether the session ended; an element that holds this one says so for its client. */
  @property({ attribute: false }) expired = false;
  #own?: App;

  protected get context(): App {
    return this.app ?? this.#own!;
  }

  protected get t(): I18n['t'] {
    return this.context.i18n.t;
  }

  get #locale(): string {
    return this.locale || this.closest('[lang]')?.getAttribute('lang') || navigator.language;
  }

  /** There is nothing to show before there is a way to a session. */
  protected override shouldUpdate(): boolean {
    return !!(this.app || this.session || this.fetchSession);
  }

  /** The first rendering waits for the texts of its language. */
  protected override async scheduleUpdate(): Promise<void> {
    const loading = this.app ? undefined : localeLoading(this.#locale);
    if (loading) await loading;
    super.scheduleUpdate();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (this.app) {
      if (changed.has('app')) this.sessionChanged();
      return;
    }
    if (changed.has('session') && this.#own && !this.#own.client.expired) {
      this.#own.client.useToken(this.session);
      changed.delete('session');
    }
    const client = ['server', 'session', 'tenant', 'fetchSession'].some((name) => changed.has(name)) || !this.#own;
    if (!client && !changed.has('locale')) return;
    this.#own = {
      i18n: new I18n(this.#locale),
      client: client ? this.#connect() : this.#own!.client,
    };
    if (client) this.sessionChanged();
  }

  #connect(): Client {
    const client = new Client(this.server.replace(/\/+$/, ''), this.session, this.fetchSession, this.tenant || undefined);
    this.expired = false;
    client.addEventListener('expired', () => {
      this.expired = client.expired;
      if (client.expired) this.emit('recount-expired');
    });
    return client;
  }

  /** Called when there is a new client: load afresh. */
  protected sessionChanged(): void {}

  /** Asks for the ended session to go on; `false` if the host takes care of it. */
  protected askReload(): boolean {
    return this.dispatchEvent(new CustomEvent('recount-reload', { bubbles: true, composed: true, cancelable: true }));
  }

  protected emit<T>(name: string, detail?: T): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  protected emitError(problem: Problem): void {
    this.emit('recount-error', { status: problem.status, code: problem.code, detail: problem.detail, requestId: problem.requestId });
  }
}
