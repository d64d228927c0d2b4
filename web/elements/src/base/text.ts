/** Making text from senders harmless to read: nothing in it can turn the page's reading direction. */

/** Bidi marks, embeddings, overrides and isolates, and control characters except tab and line feed. */
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** The text with characters that could disguise it written out (`⟨U+202E⟩`). */
export function plain(text: unknown): string {
  return String(text ?? '').replace(CONTROLS, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** A JSON value as short text: strings as they are, everything else as JSON. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

/** Up to two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.replace(/@.*/, '').match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set([words[0], words.at(-1)])].map((word) => [...(word ?? '')][0] ?? '').join('').toLocaleUpperCase();
}
