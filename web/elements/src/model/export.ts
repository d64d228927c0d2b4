/** Exporting what a view shows: at once for moderate sizes, as a job of the server above. */
import type { Client } from '../base/client.js';
import { eventsParams, type EventsQuery } from './api.js';

/** Up to so many rows unless the server names another bound. */
export const IMMEDIATE_ROWS_MAX = 10_000;

export type ExportFormat = 'csv' | 'ndjson' | 'ndjson.gz';

export interface ExportJob {
  id: string;
  name: string;
  format: string;
  filter?: string;
  from?: string | null;
  to?: string | null;
  state: 'queued' | 'running' | 'ready' | 'failed' | 'expired';
  rows?: number;
  bytes?: number;
  sha256?: string | null;
  error?: string | null;
  actor?: { name?: string; id: string; type: string } | null;
  created_at: string;
  finished_at?: string | null;
  expires_at?: string | null;
}

const EXTENSIONS: Record<string, string> = { csv: 'csv', ndjson: 'jsonl', 'ndjson.gz': 'jsonl.gz' };

export const fileName = (format: string, at: number): string =>
  `audit-log-${new Date(at).toISOString().slice(0, 19).replace(/[:T]/g, '-')}.${EXTENSIONS[format] ?? format}`;

/** What an export holds of a view: the same at once and as a job, since the server writes both. */
export interface Exported {
  query: EventsQuery;
  format: ExportFormat;
  /** Of CSV only: the other formats hold whole events. */
  columns: readonly string[];
  zone: string;
}

/** What a job is asked for. */
export const jobBody = ({ query, format, columns, zone }: Exported, name: string) =>
  ({ ...eventsParams(query), order: query.order, format, name, ...(format === 'csv' && { columns, zone }) });

/** Downloads the whole answer now. */
export async function exportNow(client: Client, { query, format, columns, zone }: Exported): Promise<void> {
  const view = format === 'csv' ? { columns: columns.join(), zone } : {};
  const response = await client.response('/v1/export', { query: { ...eventsParams(query), order: query.order, format, ...view } });
  save(await response.blob(), fileName(format, Date.now()));
}

/** Downloads a job's file. */
export async function downloadJob(client: Client, job: ExportJob): Promise<void> {
  const response = await client.response(`/v1/exports/${encodeURIComponent(job.id)}/file`);
  save(await response.blob(), fileName(job.format, Date.parse(job.created_at)));
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
