/** The hosted portal: turns the link's code into a session, keeps it going, and shows the portal element. */
import { LinkState, RecountPortal } from '@recount/elements';

/** What the host page of a frame may send, and what it is told. */
type FromHost = { type: 'recount:token'; token: string } | { type: 'recount:theme'; theme: string };

interface Token {
  token: string;
  expires_at: string;
}

const STORED_TOKEN = 'recount.token';
const STORED_THEME = 'recount.theme';
/** A token is renewed when this part of its life is left. */
const RENEW_AT = 0.25;
const RENEW_SECONDS_MIN = 5;

const root = document.documentElement;
root.lang = navigator.language;

/** Storage is refused in some frames and by some settings; the portal works without. */
function tryStorage<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

/** The tab's own memory: a reload keeps the session, another tab or a later day does not. A frame's is its host's concern. */
const memory = {
  get: () => (framed ? undefined : tryStorage(() => sessionStorage.getItem(STORED_TOKEN))),
  set: (token: Token) => framed || tryStorage(() => sessionStorage.setItem(STORED_TOKEN, JSON.stringify(token))),
  forget: () => tryStorage(() => sessionStorage.removeItem(STORED_TOKEN)),
};

async function post(path: string, body?: unknown, token?: string): Promise<Response> {
  return fetch(path, {
    method: 'POST', credentials: 'omit', cache: 'no-store',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/** The code in the fragment, which is erased before anything else can see it. */
function takeCode(): string | undefined {
  const params = new URLSearchParams(location.hash.slice(1));
  const code = params.get('code') ?? undefined;
  if (code !== undefined) {
    params.delete('code');
    const rest = params.toString();
    history.replaceState(history.state, '', location.pathname + location.search + (rest && `#${rest}`));
  }
  return code;
}

let token: Token | undefined;
let portal: RecountPortal | undefined;

function keep(next: Token): void {
  token = next;
  memory.set(next);
  const left = (Date.parse(next.expires_at) - Date.now()) / 1000;
  setTimeout(() => void renew().catch(() => {}), Math.max(RENEW_SECONDS_MIN, left * (1 - RENEW_AT)) * 1000);
}

/** A further token of the session, from one that still works. */
async function renew(): Promise<string> {
  const response = await post('/v1/portal-sessions/refresh', undefined, token?.token);
  if (!response.ok) throw new Error('the session has ended');
  keep((await response.json()) as Token);
  return token!.token;
}

function show(element: HTMLElement): void {
  document.body.replaceChildren(element);
}

function showState(state: LinkState['state'], retry?: () => void): void {
  const element = new LinkState();
  element.state = state;
  if (retry) element.addEventListener('retry', retry);
  show(element);
}

async function enter(code: string): Promise<void> {
  showState('opening');
  const response = await post('/v1/portal-sessions/exchange', { code }).catch(() => undefined);
  if (!response || response.status >= 500 || response.status === 429) return showState('unreachable', () => void enter(code));
  if (!response.ok) return showState('ended');
  keep((await response.json()) as Token);
  await open();
}

async function open(): Promise<void> {
  const me = await fetch('/v1/me', { headers: { authorization: `Bearer ${token!.token}` }, credentials: 'omit' }).catch(() => undefined);
  if (me?.status === 401) {
    memory.forget();
    return showState('missing');
  }
  if (me?.ok) {
    const { locale } = (await me.json()) as { locale?: string | null };
    if (locale) root.lang = locale;
  }
  root.dir = /^(ar|fa|he|ur)\b/.test(root.lang) ? 'rtl' : 'ltr';
  portal = new RecountPortal();
  portal.session = token!.token;
  portal.server = location.origin;
  portal.route = 'path';
  portal.pageKeys = true;
  portal.theme = (root.dataset['theme'] as RecountPortal['theme']) ?? 'auto';
  portal.fetchSession = renew;
  portal.addEventListener('recount-theme', (event) => setTheme((event as CustomEvent<string>).detail));
  portal.addEventListener('recount-event-opened', (event) => setTitle((event as CustomEvent<{ title: string } | null>).detail?.title));
  portal.addEventListener('recount-expired', () => tellHost({ type: 'recount:expired' }));
  setTitle();
  show(portal);
  tellHost({ type: 'recount:ready' });
}

const plainTitle = document.title;
function setTitle(of?: string): void {
  document.title = of ? `${of} · ${plainTitle}` : plainTitle;
}

function setTheme(theme: string): void {
  if (theme === 'light' || theme === 'dark') {
    root.dataset['theme'] = theme;
    tryStorage(() => localStorage.setItem(STORED_THEME, theme));
  } else {
    delete root.dataset['theme'];
    tryStorage(() => localStorage.removeItem(STORED_THEME));
  }
  if (portal) portal.theme = theme as RecountPortal['theme'];
}

// In a frame. The policy's frame-ancestors decides who can be the parent; messages from anyone else,
// or from the parent after it went elsewhere, are not heard.

const framed = parent !== window;
const hostOrigin = framed ? (location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin)) : '';

function tellHost(message: { type: string }): void {
  if (hostOrigin) parent.postMessage(message, hostOrigin);
}

addEventListener('message', (event: MessageEvent<FromHost>) => {
  if (!framed || event.source !== parent || !hostOrigin || event.origin !== hostOrigin) return;
  const message = event.data;
  if (message?.type === 'recount:token' && typeof message.token === 'string') {
    token = { token: message.token, expires_at: new Date(Date.now() + 600_000).toISOString() };
    if (portal) portal.session = token.token;
    else void open();
  } else if (message?.type === 'recount:theme') {
    setTheme(message.theme);
  }
});

const code = takeCode();
const stored = memory.get();
if (code !== undefined) {
  void enter(code);
} else if (stored) {
  keep(JSON.parse(stored) as Token);
  void open();
} else {
  showState('missing');
  tellHost({ type: 'recount:ready' });
}
