/** Lit's decorators for TypeScript's `experimentalDecorators`, without the second kind that Lit's own carry. */
import type { PropertyDeclaration, ReactiveElement } from 'lit';

type Class = typeof ReactiveElement;

/** A reactive property, which an attribute may set. */
export const property = (options?: PropertyDeclaration) => (prototype: object, ...names: string[]): void =>
  names.forEach((name) => (prototype.constructor as Class).createProperty(name, { ...options }));

/** A reactive property of the element's own. */
export const state = () => property({ state: true, attribute: false });

/** The first element in the rendering that the selector matches. */
export const query = (selector: string) => (prototype: object, name: string): void => {
  Object.defineProperty(prototype, name, { get(this: ReactiveElement) { return this.renderRoot?.querySelector(selector) ?? null; } });
};
