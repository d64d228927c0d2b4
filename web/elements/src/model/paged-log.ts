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

/** An event that arrived since, and how many of the rows read stand before it. */
interface Arrival {
  event: LogEvent;
  at: number;
  before: number;
}

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
  /** In the order of the list, which is newest first then. */
  #arrivals: Arrival[] = [];
  /** Those that belong below what was read so far. */
  #below: LogEvent[] = [];
  readonly #pages: Page[] = [];
  readonly #abort = new AbortController();
  /** The page last looked at. */
  #near?: Page;
  #next?: string;
  #rows = 0;

  constructor(
    private readonly client: Client,
    readonly query: EventsQuery,
    private readonly changed: () => void,
  ) {}

  get count(): number {
    return this.#arrivals.length + this.#rows;
  }

  /** How many of the rows arrived after the first page. */
  get arrived(): number {
    return this.#arrivals.length;
  }

  /** The row's event, or undefined while its page is being read (again). */
  at(index: number): LogEvent | undefined {
    const { arrival, row } = this.#find(index);
    if (arrival) return arrival.event;
    const page = this.#pageOf(row);
    if (!page) return undefined;
    this.#near = page;
    if (!page.events) void this.#reload(page);
    return page.events?.[row - page.start];
  }

  /** The time of a row, also of one whose page was let go. */
  timeAt(index: number): number {
    const { arrival, row } = this.#find(index);
    return arrival ? arrival.at : this.times[row]!;
  }

  /** What stands at a place: an arrival, or one of the rows that were read. */
  #find(index: number): { arrival?: Arrival; row: number } {
    const all = this.#arrivals;
    const at = firstIndex(all.length, (i) => all[i]!.before + i >= index);
    const arrival = all[at];
    return arrival && arrival.before + at === index ? { arrival, row: -1 } : { row: index - at };
  }

  /** The row with this event, if it is in memory. */
  indexOf(id: string): number {
    const fresh = this.#arrivals.findIndex(({ event }) => event.id === id);
    if (fresh >= 0) return this.#arrivals[fresh]!.before + fresh;
    for (const page of this.#pages) {
      const found = page.events?.findIndex((event) => event.id === id) ?? -1;
      const row = page.start + found;
      if (found >= 0) return row + firstIndex(this.#arrivals.length, (i) => this.#arrivals[i]!.before > row);
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
      this.#place();
      this.#letGo(page);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.problem = Problem.of(error);
    } finally {
      this.loading = false;
      if (!this.#abort.signal.aborted) this.changed();
    }
  }

  /** Puts events that arrived where they belong: most in front, late ones further down. */
  insert(events: readonly LogEvent[]): void {
    this.#below.push(...events);
    this.#place();
    this.changed();
  }

  #place(): void {
    const end = this.complete ? -Infinity : this.times.at(-1) ?? Infinity;
    const placed = this.#below.filter((event) => timeOf(event) >= end);
    if (!placed.length) return;
    this.#below = this.#below.filter((event) => timeOf(event) < end);
    this.#arrivals.push(...placed.map((event) => {
      const at = timeOf(event);
      return { event, at, before: firstIndex(this.times.length, (i) => this.times[i]! <= at) };
    }));
    this.#arrivals.sort((a, b) => b.at - a.at || b.event.seq - a.event.seq);
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

  /** Lets go of pages far from the viewport, but not of the first, nor of the one just read. */
  #letGo(read: Page): void {
    const kept = this.#pages.filter((page) => page.events);
    if (kept.length <= PAGES_KEPT_MAX) return;
    const middle = (this.#near ?? read).start;
    const distance = (page: Page) => Math.abs(page.start - middle);
    kept.sort((a, b) => distance(b) - distance(a));
    for (const page of kept.slice(0, kept.length - PAGES_KEPT_MAX)) if (page !== read && page.start) page.events = undefined;
  }
}

/** The first number below `count` for which `is` holds, which then holds for all that follow; else `count`. */
export function firstIndex(count: number, is: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
