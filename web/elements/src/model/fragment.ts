/**
 * A host page's fragment, of which only some parameters are ours. A hash router's path
 * (`#/settings/audit`) stays in front, with parameters behind its `?`; whatever did not change stays
 * as the host wrote it.
 */

/** The router's path, and the parameters behind it. */
function parts(fragment: string): [path: string, params: string] {
  const text = fragment.replace(/^#/, '');
  if (!/^!?\//.test(text)) return ['', text];
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

export const fragmentParams = (fragment: string): URLSearchParams => new URLSearchParams(parts(fragment)[1]);

/** The fragment with these parameters, of which some may be the host's own from before. */
export function withParams(fragment: string, params: URLSearchParams): string {
  const [path, before] = parts(fragment);
  const wanted = [...params];
  const kept = before.split('&').filter((piece) => {
    const [pair] = new URLSearchParams(piece);
    const at = pair ? wanted.findIndex(([name, value]) => name === pair[0] && value === pair[1]) : -1;
    if (at >= 0) wanted.splice(at, 1);
    return at >= 0;
  });
  const all = [...kept, ...(wanted.length ? [String(new URLSearchParams(wanted))] : [])].join('&');
  return path && all ? `${path}?${all}` : path || all;
}
