/** Following the log: what arrives is shown at once, or kept while somebody reads on. */
import { follow } from '../base/sse.js';
import type { Client, Problem } from '../base/client.js';
import type { HistogramAnswer } from '../model/api.js';
import { outcomeOf, timeOf, type LogEvent } from '../model/event.js';
import { firstIndex } from '../model/paged-log.js';

const FLUSH_MS = 250;
/** More than these are not kept to be shown one by one: the list is read afresh instead. */
export const LIVE_ROWS_MAX = 5000;

export interface LiveHost {
  /** Whether the list's first page is there, so that what it holds can be told from what is new. */
  ready(): boolean;
  /** Whether the newest rows are in view. */
  atTop(): boolean;
  /** Whether the event lies in the range shown. */
  inRange(event: LogEvent): boolean;
  /** Whether the list holds the event: it came after the tail was opened and before the list was read. */
  listed(event: LogEvent): boolean;
  show(events: LogEvent[]): void;
  /** Adds events of the list to the counts. */
  count(events: LogEvent[]): void;
  connected(open: boolean): void;
  /** Events may have passed unseen: the list must be read afresh. */
  lostPlace(): void;
  failed(problem: Problem): void;
  /** The number of waiting events changed. */
  changed(): void;
}

export class Live {
  /** What arrived while other rows were being read. */
  #waiting: LogEvent[] = [];
  #arrived: LogEvent[] = [];
  /** How many more there were than are kept. */
  #dropped = 0;
  #timer = 0;
  readonly #abort = new AbortController();

  /** Follows from now on; after a lost connection from where it was, so that nothing is missed or doubled. */
  constructor(client: Client, filter: string, private readonly host: LiveHost) {
    void follow(client, '/v1/events/tail', { filter: filter || undefined }, undefined, this.#abort.signal, {
      message: (data) => {
        const event = JSON.parse(data) as LogEvent;
        if (event.id && this.#waiting.length + this.#arrived.length < LIVE_ROWS_MAX) this.#arrived.push(event);
        else if (event.id) this.#dropped++;
        this.#timer ||= window.setTimeout(() => this.flush(), FLUSH_MS);
      },
      connected: (open, gapless) => (gapless ? host.connected(open) : host.lostPlace()),
      failed: (problem) => host.failed(problem),
    });
  }

  /** How many events wait to be shown. */
  get waiting(): number {
    return this.#waiting.length + this.#dropped;
  }

  /** Shows what arrived if the top is in view, and everything that waited if so or if `all`. */
  flush(all = false): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.host.ready()) {
      this.#timer = window.setTimeout(() => this.flush(), FLUSH_MS);
      return;
    }
    const listed: LogEvent[] = [];
    for (const event of this.#arrived.splice(0)) if (this.host.inRange(event)) (this.host.listed(event) ? listed : this.#waiting).push(event);
    this.host.count(listed);
    if (all || this.host.atTop()) {
      if (this.#dropped) return this.host.lostPlace();
      const events = this.#waiting.splice(0);
      if (events.length) this.host.show(events);
    }
    this.host.changed();
  }

  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  /** The counts with those events in them that came after they were made, or undefined if one lies outside of the bars. */
  countedIn(histogram: HistogramAnswer, arrived: readonly LogEvent[]): HistogramAnswer | undefined {
    const events = arrived.filter(({ seq }) => seq >= histogram.before_seq);
    const buckets = [...histogram.buckets];
    const starts = buckets.map(({ start }) => Date.parse(start));
    for (const event of events) {
      const at = timeOf(event);
      const place = firstIndex(starts.length, (i) => starts[i]! > at) - 1;
      const bucket = buckets[place];
      if (!bucket || at >= starts.at(-1)! + histogram.interval_seconds * 1000) return undefined;
      const outcome = outcomeOf(event);
      buckets[place] = { ...bucket, [outcome]: bucket[outcome] + 1 };
    }
    return { ...histogram, buckets, total: histogram.total + events.length };
  }
}
