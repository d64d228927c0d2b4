/** Requests to Recount: bearer token, renewal when it ends, and RFC 9457 problems as errors. */

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Gives a fresh token of the same tenant; the host page's way to keep a session going. */
export type FetchSession = () => Promise<string>;

/** What a credential may do (`GET /v1/me`). */
export interface Me {
  tenant?: string | null;
  scopes: string[];
  actor?: { type: string; id: string; name?: string };
  locale?: string | null;
  return_url?: string | null;
  tenant_name?: string | null;
  expires_at?: string | null;
  limits?: { export_inline_rows_max: number };
}

/** Why a request failed. `status` 0: the server was not reached. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly code = '',
    readonly requestId = '',
    /** The problem's own members, such as the position of a mistake in a filter. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** Whatever was thrown, as a problem: one that is none is a failure to reach the server. */
  static of(error: unknown, status = 0): Problem {
    return error instanceof Problem ? error : new Problem(status, String(error));
  }

  static async from(response: Response): Promise<Problem> {
    const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
    return new Problem(
      response.status,
      text('detail') || text('title') || response.statusText,
      text('code'),
      response.headers.get('x-request-id') ?? text('request_id'),
      body,
    );
  }
}

const RETRIES_MAX = 2;
const RETRY_AFTER_SECONDS_MAX = 5;

export class Client extends EventTarget {
  #renewing: Promise<string> | undefined;
  #me: Promise<Me> | undefined;
  #expired = false;

  constructor(
    readonly server: string,
    private token: string,
    private readonly fetchSession?: FetchSession,
    private readonly tenant?: string,
  ) {
    super();
  }

  /** Goes on with another token of the same session. */
  useToken(token: string): void {
    this.token = token;
    this.#me = undefined;
    this.#setExpired(false);
  }

  /** The credential's own view of itself, asked once. */
  me(): Promise<Me> {
    this.#me ??= this.get<Me>('/v1/me').catch((error: unknown) => {
      this.#me = undefined;
      throw error;
    });
    return this.#me;
  }

  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.response(path, { query, signal }).then((response) => response.json() as Promise<T>);
  }

  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.response(path, { method, body });
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  url(path: string, query: Query = {}): string {
    const url = new URL(this.server + path);
    for (const [name, value] of Object.entries({ ...query, tenant: this.tenant })) {
      if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  /** The raw answer, for downloads and event streams. Throws a {@link Problem} unless it is a success. */
  async response(
    path: string,
    init: { method?: string; query?: Query; body?: unknown; headers?: HeadersInit; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { method = 'GET', query, body, signal } = init;
    for (let attempt = 0, renewed = false; ; attempt++) {
      if (!this.token) {
        await this.#renew();
        renewed = true;
      }
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${this.token}`);
      if (body !== undefined) headers.set('content-type', 'application/json');
      let response: Response;
      try {
        response = await fetch(this.url(path, query), {
          method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
          credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer',
        });
      } catch (error) {
        if (signal?.aborted) throw error;
        throw Problem.of(error);
      }
      if (response.ok) {
        this.#setExpired(false);
        return response;
      }
      if (response.status === 401 && !renewed) {
        renewed = true;
        await this.#renew();
        continue;
      }
      if (response.status === 401) this.#setExpired(true);
      const wait = Number(response.headers.get('retry-after') ?? 'NaN');
      if (method === 'GET' && attempt < RETRIES_MAX && (response.status === 429 || response.status === 503)
        && wait <= RETRY_AFTER_SECONDS_MAX) {
        await new Promise((done) => setTimeout(done, wait * 1000));
        continue;
      }
      throw await Problem.from(response);
    }
  }

  /** One renewal at a time, whoever asks. */
  async #renew(): Promise<void> {
    try {
      if (!this.fetchSession) throw new Problem(401, 'the session has ended');
      this.#renewing ??= this.fetchSession().finally(() => (this.#renewing = undefined));
      this.token = await this.#renewing;
      this.#me = undefined;
    } catch (error) {
      this.#setExpired(true);
      throw Problem.of(error, 401);
    }
  }

  /** Whether the session ended and could not be renewed; `expired` events tell of changes. */
  get expired(): boolean {
    return this.#expired;
  }

  #setExpired(expired: boolean): void {
    if (this.#expired === expired) return;
    this.#expired = expired;
    this.dispatchEvent(new Event('expired'));
  }
}
