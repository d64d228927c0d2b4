/** What every piece of the interface is given by the element that holds it. */
import { LitElement } from 'lit';
import { property } from './decorators.js';
import type { Client } from './client.js';
import { I18n } from './i18n.js';

export interface App {
  client: Client;
  i18n: I18n;
}

/** A piece inside a public element. Its events are of its holder's concern and do not leave it. */
export class Part extends LitElement {
  @property({ attribute: false }) app!: App;

  protected get t(): I18n['t'] {
    return this.app.i18n.t;
  }

  /** Tells the holder; `detail` is what happened. */
  protected tell<T>(name: string, detail?: T): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Defines an element once, also when two copies of the module meet on a page. */
export const define = (name: string) => (element: CustomElementConstructor): void => {
  if (!customElements.get(name)) customElements.define(name, element);
};
