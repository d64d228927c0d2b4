/** Following the log: what arrives is shown at once, or kept while somebody reads older rows. */
import { follow } from '../base/sse.js';
import type { Client, Problem } from '../base/client.js';
import type { HistogramAnswer } from '../model/api.js';
import { timeOf, type LogEvent } from '../model/event.js';

const FLUSH_MS = 250;
/** More than these are not shown one by one: the list is read afresh instead. */
export const LIVE_ROWS_MAX = 5000;

export interface LiveHost {
  /** Whether the list's first page is there, so that what it holds can be told from what is new. */
  ready(): boolean;
  /** Whether the newest rows are in view. */
  atTop(): boolean;
  /** Whether the event lies in the range shown and is not in the list yet. */
  accepts(event: LogEvent): boolean;
  show(events: LogEvent[]): void;
  connected(open: boolean): void;
  /** Events may have passed unseen: the list must be read afresh. */
  lostPlace(): void;
  failed(problem: Problem): void;
  /** The number of waiting events changed. */
  changed(): void;
}

export class Live {
  /** What arrived while older rows were being read. */
  waiting: LogEvent[] = [];
  #arrived: LogEvent[] = [];
  #timer = 0;
  readonly #abort = new AbortController();

  /** Follows from now on; after a lost connection from where it was, so that nothing is missed or doubled. */
  constructor(client: Client, filter: string, private readonly host: LiveHost) {
    void follow(client, '/v1/events/tail', { filter: filter || undefined }, undefined, this.#abort.signal, {
      message: (data) => {
        const event = JSON.parse(data) as LogEvent;
        if (event.id) this.#arrived.push(event);
        this.#timer ||= window.setTimeout(() => this.flush(), FLUSH_MS);
      },
      connected: (open, gapless) => (gapless ? host.connected(open) : host.lostPlace()),
      failed: (problem) => host.failed(problem),
    });
  }

  /** Shows what arrived if the top is in view, and everything that waited if so or if `all`. */
  flush(all = false): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.host.ready()) {
      this.#timer = window.setTimeout(() => this.flush(), FLUSH_MS);
      return;
    }
    const events = [...this.waiting, ...this.#arrived.splice(0).filter((event) => this.host.accepts(event))];
    const show = all || this.host.atTop();
    this.waiting = show ? [] : events.slice(-LIVE_ROWS_MAX);
    if (show && events.length) this.host.show(events);
    this.host.changed();
  }

  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }
}

/** The counts with further events in them; the last bucket may be new. */
export function countedIn(histogram: HistogramAnswer, events: readonly LogEvent[]): HistogramAnswer {
  const buckets = [...histogram.buckets];
  if (!buckets.length) return histogram;
  const first = Date.parse(buckets[0]!.start);
  const width = histogram.interval_seconds * 1000;
  for (const event of events) {
    const at = Math.min(buckets.length, Math.floor((timeOf(event) - first) / width));
    if (at < 0) continue;
    const outcome = event.outcome ?? 'success';
    const bucket = buckets[at] ?? { start: new Date(first + at * width).toISOString(), success: 0, failure: 0, denied: 0 };
    buckets[at] = { ...bucket, [outcome]: bucket[outcome] + 1 };
  }
  return { ...histogram, buckets, total: histogram.total + events.length };
}
