/** Exporting what a view shows: at once for moderate sizes, as a job of the server above. */
import type { Client } from '../base/client.js';
import { eventsParams, type EventsQuery } from './api.js';
import { csvHead, csvRow } from './csv.js';
import type { LogEvent } from './event.js';

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

/** What a job is asked for. */
export const jobBody = (query: EventsQuery, format: ExportFormat, name: string) =>
  ({ ...eventsParams(query), order: query.order, format: format === 'csv' ? 'csv' : 'ndjson', name });

/** Downloads the whole answer now; CSV gets the view's columns and zone. */
export async function exportNow(client: Client, query: EventsQuery, format: ExportFormat, zone: string, columns: readonly string[]): Promise<void> {
  const response = await client.response('/v1/export', { query: { ...eventsParams(query), order: query.order, format: 'ndjson' } });
  let blob: Blob;
  if (format === 'csv') {
    const lines = (await response.text()).split('\n').filter(Boolean);
    blob = new Blob([csvHead(columns), ...lines.map((line) => csvRow(JSON.parse(line) as LogEvent, columns, zone))], { type: 'text/csv' });
  } else if (format === 'ndjson.gz') {
    blob = await new Response(response.body!.pipeThrough(new CompressionStream('gzip'))).blob();
  } else {
    blob = await response.blob();
  }
  save(blob, fileName(format, Date.now()));
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
