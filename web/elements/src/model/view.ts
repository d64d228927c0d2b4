/** What the log page shows, as one value that lives in the address. */
import { fragmentParams, withParams } from './fragment.js';
import { isZone } from './time.js';

export const COLUMNS = ['time', 'actor', 'action', 'target', 'outcome', 'ip', 'source', 'location', 'description', 'id'] as const;
export const DEFAULT_COLUMNS = ['time', 'actor', 'action', 'target', 'outcome'];
export const DEFAULT_RANGE = '30d';

export interface View {
  filter: string;
  range: string;
  zone: string;
  order: 'desc' | 'asc';
  columns: string[];
  /** The saved view that this started from. */
  saved?: string;
  /** The open event. */
  event?: string;
  /** The ranges that zooming came from, oldest first. */
  zoomed: string[];
}

/** Where the view is kept: the query of a page of ours, or the fragment of a host's page. */
export type Persist = 'query' | 'hash' | 'none';

export const defaultView = (): View =>
  ({ filter: '', range: DEFAULT_RANGE, zone: 'local', order: 'desc', columns: [...DEFAULT_COLUMNS], zoomed: [] });

/** The parameters of an address that are the view's. */
export const VIEW_KEYS = ['filter', 'time', 'zone', 'order', 'cols', 'view', 'event', 'zoom'] as const;

export const isColumn = (name: string): boolean => (COLUMNS as readonly string[]).includes(name) || /^(metadata|tags)\.[^,\s]+$/.test(name);

/** The view without what nothing can be shown for: it comes from a link, or was saved by somebody. */
export function sound(view: View): View {
  const columns = view.columns.filter(isColumn);
  return { ...view, zone: isZone(view.zone) ? view.zone : 'local', columns: columns.length ? columns : [...DEFAULT_COLUMNS] };
}

export function readView(params: URLSearchParams): View {
  const view: View = {
    filter: params.get('filter') ?? '',
    range: params.get('time') ?? DEFAULT_RANGE,
    zone: params.get('zone') ?? 'local',
    order: params.get('order') === 'asc' ? 'asc' : 'desc',
    columns: params.get('cols')?.split(',') ?? DEFAULT_COLUMNS,
    zoomed: params.get('zoom')?.split('~').filter(Boolean) ?? [],
  };
  const saved = params.get('view');
  const event = params.get('event');
  if (saved) view.saved = saved;
  if (event) view.event = event;
  return sound(view);
}

/** Writes the view over its own parameters; others of the host's stay. */
export function writeView(view: View, params: URLSearchParams): URLSearchParams {
  const plain = defaultView();
  const values: Record<(typeof VIEW_KEYS)[number], string | undefined> = {
    filter: view.filter,
    time: view.range === plain.range ? '' : view.range,
    zone: view.zone === plain.zone ? '' : view.zone,
    order: view.order === plain.order ? '' : view.order,
    cols: view.columns.join() === plain.columns.join() ? '' : view.columns.join(),
    view: view.saved,
    event: view.event,
    zoom: view.zoomed.join('~'),
  };
  for (const key of VIEW_KEYS) {
    if (values[key]) params.set(key, values[key]);
    else params.delete(key);
  }
  return params;
}

/** The part of a view that a saved view keeps. */
export const savedPart = ({ filter, range, zone, order, columns }: View) => ({ filter, range, zone, order, columns });

export function currentParams(persist: Persist): URLSearchParams {
  return persist === 'hash' ? fragmentParams(location.hash) : new URLSearchParams(persist === 'query' ? location.search : '');
}

export function addressOf(params: URLSearchParams, persist: Persist): string {
  const url = new URL(location.href);
  if (persist === 'hash') url.hash = withParams(url.hash, params);
  else url.search = params.toString();
  return url.href;
}
