/**
 * A listing of any length in bounded memory: pages are read forward by cursor, those far from the
 * viewport are let go and read again with the cursor they came from. A cursor pins the log's size,
 * so a page read twice is the same.
 */
import { Problem, type Client } from '../base/client.js';
import { eventsParams, type EventsPage, type EventsQuery } from './api.js';
import { timeOf, type LogEvent } from './event.js';

const FIRST_PAGE_EVENTS = 100;
const PAGE_EVENTS = 500;
const PAGES_KEPT_MAX = 12;

interface Page {
  cursor?: string;
  start: number;
  limit: number;
  events?: LogEvent[];
}

export class PagedLog {
  /** `occurred_at` of every row read so far, which stays when its page is let go. */
  readonly times: number[] = [];
  /** Whether all pages were read. */
  complete = false;
  loading = false;
  problem?: Problem;
  /** Rows that arrived after the first page. */
  live: LogEvent[] = [];
  readonly #pages: Page[] = [];
  readonly #abort = new AbortController();
  #next?: string;
  #rows = 0;

  constructor(
    private readonly client: Client,
    readonly query: EventsQuery,
    private readonly changed: () => void,
  ) {}

  get count(): number {
    return this.live.length + this.#rows;
  }

  /** The row's event, or undefined while its page is being read (again). */
  at(index: number): LogEvent | undefined {
    if (index < this.live.length) return this.live[index];
    const row = index - this.live.length;
    const page = this.#pageOf(row);
    if (!page) return undefined;
    if (!page.events) void this.#reload(page);
    return page.events?.[row - page.start];
  }

  /** The row with this event, if it is in memory. */
  indexOf(id: string): number {
    const fresh = this.live.findIndex((event) => event.id === id);
    if (fresh >= 0) return fresh;
    for (const page of this.#pages) {
      const found = page.events?.findIndex((event) => event.id === id) ?? -1;
      if (found >= 0) return this.live.length + page.start + found;
    }
    return -1;
  }

  /** Reads the next page. */
  async more(): Promise<void> {
    if (this.loading || this.complete) return;
    const page: Page = { cursor: this.#next, start: this.#rows, limit: this.#pages.length ? PAGE_EVENTS : FIRST_PAGE_EVENTS };
    this.loading = true;
    this.problem = undefined;
    this.changed();
    try {
      const answer = await this.#read(page);
      page.events = answer.data;
      this.#pages.push(page);
      for (const event of answer.data) this.times.push(timeOf(event));
      this.#rows += answer.data.length;
      this.#next = answer.next_cursor ?? undefined;
      this.complete = !this.#next;
      this.#letGo(page);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.problem = error instanceof Problem ? error : new Problem(0, String(error));
    } finally {
      this.loading = false;
      if (!this.#abort.signal.aborted) this.changed();
    }
  }

  /** Puts events that arrived in front. */
  prepend(events: LogEvent[]): void {
    this.live = [...events, ...this.live].sort((a, b) => timeOf(b) - timeOf(a) || b.seq - a.seq);
    this.changed();
  }

  /** The time of a row, also of one whose page was let go. */
  timeAt(index: number): number {
    return index < this.live.length ? timeOf(this.live[index]!) : this.times[index - this.live.length]!;
  }

  close(): void {
    this.#abort.abort();
  }

  #read(page: Page): Promise<EventsPage> {
    const { order } = this.query;
    return this.client.get<EventsPage>('/v1/events',
      { ...eventsParams(this.query), order: order === 'asc' ? 'asc' : undefined, limit: page.limit, cursor: page.cursor },
      this.#abort.signal);
  }

  #pageOf(row: number): Page | undefined {
    return this.#pages.findLast((page) => page.start <= row);
  }

  #reloading = new Set<Page>();
  async #reload(page: Page): Promise<void> {
    if (this.#reloading.has(page)) return;
    this.#reloading.add(page);
    try {
      page.events = (await this.#read(page)).data;
      this.#letGo(page);
      this.changed();
    } catch {
      // The row stays a placeholder; the next look at it asks again.
    } finally {
      this.#reloading.delete(page);
    }
  }

  #letGo(near: Page): void {
    const middle = this.#pages.indexOf(near);
    const kept = this.#pages.filter((page) => page.events);
    if (kept.length <= PAGES_KEPT_MAX) return;
    const distance = (page: Page) => Math.abs(this.#pages.indexOf(page) - middle);
    kept.sort((a, b) => distance(b) - distance(a));
    for (const page of kept.slice(0, kept.length - PAGES_KEPT_MAX)) if (page !== this.#pages[0]) page.events = undefined;
  }
}
