/** Styles as their texts, and one sheet for all that adopt a text. Stands for `@lit/reactive-element/css-tag.js`. */
const sheets = new Map();

/** The templates of the elements have no values in them; `npm run check` sees to it. */
export const css = ([text]) => text;

export function getCompatibleStyle(text) {
  if (!sheets.has(text)) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  return sheets.get(text);
}

export const adoptStyles = (root, styles) => {
  root.adoptedStyleSheets = styles;
};

/** Only named on by Lit, used by nobody, and so not in the build. */
export const CSSResult = undefined;
export const unsafeCSS = undefined;
export const supportsAdoptingStyleSheets = true;
