/** The hosted portal: turns the link's code into a session, keeps it going, and shows the portal element. */
import { LinkState, RecountPortal } from '@recount/elements';
import { post, Session, tryStorage, type Token } from './session.js';

/** What the host page of a frame may send, and what it is told. */
type FromHost = { type: 'recount:token'; token: string } | { type: 'recount:theme'; theme: string };

/** What the deployment says of itself, in the page's `meta`. */
interface Brand {
  name?: string;
  accent?: string;
  login_url?: string;
}

const STORED_THEME = 'recount.theme';
/** The page that was asked for without a session, for the link that comes next in this tab. */
const STORED_WANTED = 'recount.wanted';
/** How long a token that a frame's host gave is taken to live; the host renews it. */
const HOST_TOKEN_MS = 600_000;

const root = document.documentElement;
root.lang = navigator.language;
const brand = JSON.parse(document.querySelector<HTMLMetaElement>('meta[name="recount-portal"]')?.content ?? '{}') as Brand;
if (brand.accent) root.style.setProperty('--recount-accent', brand.accent);
if (brand.name) document.title += ` · ${brand.name}`;

const framed = parent !== window;
const session = new Session(!framed, (token) => {
  if (portal) portal.session = token;
});
let portal: RecountPortal | undefined;
let returnUrl = '';

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

const here = (): string => location.pathname + location.search;

/** Remembers what is on screen for the next link that is opened in this tab. */
const remember = (): void => void tryStorage(() => sessionStorage.setItem(STORED_WANTED, here()));

/** A link that names no page of its own opens the one that was wanted before. */
function openWanted(): void {
  const wanted = tryStorage(() => sessionStorage.getItem(STORED_WANTED));
  tryStorage(() => sessionStorage.removeItem(STORED_WANTED));
  if (wanted && here() === '/portal') history.replaceState(history.state, '', wanted);
}

/** Where a session can be had: the vendor's page, told what to come back to; or where this one came from. */
function entrance(): string {
  if (!brand.login_url) return returnUrl;
  const url = new URL(brand.login_url);
  url.searchParams.set('return_to', here());
  return url.href;
}

function show(element: HTMLElement): void {
  document.body.replaceChildren(element);
}

function showState(state: LinkState['state'], retry?: () => void): void {
  const element = new LinkState();
  element.state = state;
  if (state === 'missing' || state === 'ended') {
    remember();
    element.brand = brand.name ?? '';
    element.href = framed ? '' : entrance();
  }
  if (retry) element.addEventListener('retry', retry);
  show(element);
}

async function enter(code: string): Promise<void> {
  showState('opening');
  const response = await post('/v1/portal-sessions/exchange', { code }).catch(() => undefined);
  if (!response || response.status >= 500 || response.status === 429) return showState('unreachable', () => void enter(code));
  if (!response.ok) return showState('ended');
  openWanted();
  session.use((await response.json()) as Token);
  await open();
}

async function open(): Promise<void> {
  const answer = await fetch('/v1/me', { headers: { authorization: `Bearer ${session.token}` }, credentials: 'omit' }).catch(() => undefined);
  if (answer?.status === 401) {
    session.forget();
    return showState('missing');
  }
  if (answer?.ok) {
    const me = (await answer.json()) as { locale?: string | null; return_url?: string | null };
    if (me.locale) root.lang = me.locale;
    returnUrl = me.return_url ?? '';
  }
  root.dir = /^(ar|fa|he|ur)\b/.test(root.lang) ? 'rtl' : 'ltr';
  portal = new RecountPortal();
  portal.session = session.token;
  portal.server = location.origin;
  portal.route = 'path';
  portal.brand = brand.name ?? '';
  portal.pageKeys = true;
  portal.theme = (root.dataset['theme'] as RecountPortal['theme']) ?? 'auto';
  portal.fetchSession = session.renew;
  portal.addEventListener('recount-theme', (event) => setTheme((event as CustomEvent<string>).detail));
  portal.addEventListener('recount-titled', (event) => setTitle({ page: (event as CustomEvent<string>).detail, event: '' }));
  portal.addEventListener('recount-event-opened', (event) => setTitle({ event: (event as CustomEvent<{ title: string } | null>).detail?.title ?? '' }));
  portal.addEventListener('recount-expired', () => tellHost({ type: 'recount:expired' }));
  portal.addEventListener('recount-reload', reload);
  show(portal);
  tellHost({ type: 'recount:ready' });
}

/** An ended session can't go on by itself: a new one comes from where people are let in, and leads back here. */
function reload(event: Event): void {
  if (framed || !session.ended || !entrance()) return;
  event.preventDefault();
  remember();
  location.assign(entrance());
}

const title = { page: document.title, event: '' };
function setTitle(change: Partial<typeof title>): void {
  Object.assign(title, change);
  document.title = title.event ? `${title.event} · ${title.page}` : title.page;
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

const hostOrigin = framed ? (location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin)) : '';

function tellHost(message: { type: string }): void {
  if (hostOrigin) parent.postMessage(message, hostOrigin);
}

addEventListener('message', (event: MessageEvent<FromHost>) => {
  if (!framed || event.source !== parent || !hostOrigin || event.origin !== hostOrigin) return;
  const message = event.data;
  if (message?.type === 'recount:token' && typeof message.token === 'string') {
    session.use({ token: message.token, expires_at: new Date(Date.now() + HOST_TOKEN_MS).toISOString() });
    if (!portal) void open();
  } else if (message?.type === 'recount:theme') {
    setTheme(message.theme);
  }
});

const code = takeCode();
if (code !== undefined) {
  void enter(code);
} else if (session.restore()) {
  void open();
} else {
  showState('missing');
  tellHost({ type: 'recount:ready' });
}
