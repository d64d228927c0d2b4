/**
 * What the elements use of `lit`, for the browsers of the build's target: the same classes and templates,
 * without `lit`'s fallbacks for browsers that lack adopted style sheets. Packages use `lit` itself.
 */
import { ReactiveElement } from '@lit/reactive-element';
import { render } from 'lit-html';

export { html, nothing, svg } from 'lit-html';
export { css } from './css-tag.js';

export class LitElement extends ReactiveElement {
  update(changed) {
    const template = this.render();
    super.update(changed);
    render(template, this.renderRoot, (this.renderOptions ??= { host: this }));
  }
}
