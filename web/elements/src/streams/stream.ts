/** Streams as the API serves them. */
import { fromWall } from '../model/time.js';

export interface Stream {
  id: string;
  name: string;
  destination: { type: string } & Record<string, unknown>;
  format: string;
  filter: string;
  status: 'draft' | 'active' | 'paused' | 'disabled';
  status_reason?: string | null;
  tested_at?: string | null;
  health: 'unknown' | 'healthy' | 'unhealthy' | 'recovering';
  /** What waits; retention removes the oldest of it at `cut_off_at`. */
  lag?: { events: number; seconds: number | null; cut_off_at?: string | null; removed?: number } | null;
  delivered: number;
  failures?: number;
  retry_at?: string | null;
  dead_letters: number;
  last_success_at?: string | null;
  last_error_at?: string | null;
  last_error?: string | null;
  created_at: string;
  /** Addresses that requests come from, for allow-lists. */
  egress_addresses?: string[];
}

export interface Attempt {
  number: number;
  at: string;
  took_ms: number;
  first_seq: number;
  last_seq: number;
  events: number;
  outcome: string;
  request?: string | null;
  status?: number | null;
  answer?: string | null;
  reason?: string | null;
}

export interface DeadLetter {
  seq: number;
  event_id: string;
  at: string;
  reason: string;
  replays?: number;
}

/** A stream's state in one word and tone: trouble first. */
export function stateOf(stream: Stream) {
  if (stream.status === 'draft') return { label: 'Not enabled', tone: 'muted' } as const;
  if (stream.status === 'disabled') return { label: 'Disabled', tone: 'danger' } as const;
  if (stream.status === 'paused') return { label: 'Paused', tone: 'warn' } as const;
  if (stream.health === 'unhealthy') return { label: 'Failing', tone: 'danger' } as const;
  if (stream.health === 'recovering') return { label: 'Recovering', tone: 'warn' } as const;
  return { label: stream.health === 'healthy' ? 'Healthy' : 'Waiting for events', tone: stream.health === 'healthy' ? 'ok' : 'muted' } as const;
}

/** The instant that a form's `time` names, in the reader's own zone. */
export const wallInstant = (data: FormData) => ({ time: new Date(fromWall(Date.parse(`${String(data.get('time'))}Z`), 'local')).toISOString() });

export const isTrouble = (stream: Stream): boolean => stateOf(stream).tone === 'danger';
