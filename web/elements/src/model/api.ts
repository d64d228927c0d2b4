/** The shapes of the answers that the elements read. */
import type { LogEvent } from './event.js';

export interface EventsPage {
  data: LogEvent[];
  next_cursor?: string | null;
}

export interface Bucket {
  start: string;
  success: number;
  failure: number;
  denied: number;
}

export interface HistogramAnswer {
  interval_seconds: number;
  buckets: Bucket[];
  /** Events that were counted. */
  total: number;
  /** Only events with a `seq` below this are in the counts. */
  before_seq: number;
  exact: boolean;
  covered_from?: string | null;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface FacetsAnswer {
  facets: { field: string; values: FacetValue[] }[];
  exact: boolean;
}

/** Which events: the query that list, histogram, facets, tail and export share. */
export interface EventsQuery {
  filter: string;
  from?: number;
  to?: number;
  order: 'desc' | 'asc';
}

export const eventsParams = ({ filter, from, to }: Omit<EventsQuery, 'order'>) => ({
  filter: filter || undefined,
  from: from === undefined ? undefined : new Date(from).toISOString(),
  to: to === undefined ? undefined : new Date(to).toISOString(),
});
