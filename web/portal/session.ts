/** The hosted page's session: its token, kept for the tab and renewed in time, once. */

export interface Token {
  token: string;
  expires_at: string;
}

const STORED = 'recount.token';
/** A token is renewed when this part of its life is left. */
const RENEW_AT = 0.25;
const RENEW_SECONDS_MIN = 5;
/** A renewal that did not reach the server is tried again after this. */
const RETRY_SECONDS = 10;

/** Storage is refused in some frames and by some settings; the portal works without. */
export function tryStorage<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

export async function post(path: string, body?: unknown, token?: string): Promise<Response> {
  return fetch(path, {
    method: 'POST', credentials: 'omit', cache: 'no-store',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export class Session {
  #token: Token | undefined;
  #timer = 0;
  #renewing: Promise<string> | undefined;

  /** `kept`: whether the tab remembers the token, so that a reload goes on. A frame's is its host's concern. */
  constructor(
    private readonly kept: boolean,
    private readonly changed: (token: string) => void,
  ) {}

  get token(): string {
    return this.#token?.token ?? '';
  }

  /** Whether the token has ended; nothing can be had with it any more. */
  get ended(): boolean {
    return !this.#token || Date.parse(this.#token.expires_at) <= Date.now();
  }

  /** Goes on with the tab's token, if it has one. */
  restore(): boolean {
    const stored = this.kept && tryStorage(() => sessionStorage.getItem(STORED));
    if (stored) this.use(JSON.parse(stored) as Token);
    return !!stored;
  }

  forget(): void {
    this.#token = undefined;
    clearTimeout(this.#timer);
    tryStorage(() => sessionStorage.removeItem(STORED));
  }

  use(token: Token): void {
    this.#token = token;
    if (this.kept) tryStorage(() => sessionStorage.setItem(STORED, JSON.stringify(token)));
    const left = (Date.parse(token.expires_at) - Date.now()) / 1000;
    this.#schedule(Math.max(RENEW_SECONDS_MIN, left * (1 - RENEW_AT)));
    this.changed(token.token);
  }

  /** A further token of the session, from one that still works; one renewal at a time. */
  renew = (): Promise<string> => (this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined)));

  async #renew(): Promise<string> {
    const response = await post('/v1/portal-sessions/refresh', undefined, this.token).catch(() => undefined);
    if (!response || response.status >= 500 || response.status === 429) {
      if (!this.ended) this.#schedule(RETRY_SECONDS);
      throw new Error('the server can’t be reached');
    }
    if (!response.ok) throw new Error('the session has ended');
    this.use((await response.json()) as Token);
    return this.token;
  }

  /** There is one timer, whoever renewed last. */
  #schedule(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.renew().catch(() => {}), seconds * 1000);
  }
}
