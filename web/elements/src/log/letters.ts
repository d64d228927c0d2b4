/** Where it is remembered that single keys do nothing: for people who dictate, or hit keys by accident. */
export const OFF_KEY = 'recount.shortcuts-off';

export function lettersOff(): boolean {
  // A page without storage has them on.
  try { return !!localStorage[OFF_KEY]; } catch { return false; }
}
