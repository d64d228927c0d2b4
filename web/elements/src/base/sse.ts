/** Server-sent events over `fetch`, so that the token travels in a header and never in an address. */
import { Problem, type Client, type Query } from './client.js';

const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 15_000;

export interface TailHandlers {
  /** One message; `id` is the position to resume after. */
  message(data: string, id: string): void;
  /**
   * The connection opened (true) or was lost (false); it is retried until aborted. `gapless` is false
   * when it was lost before there was a position to resume at.
   */
  connected(open: boolean, gapless: boolean): void;
  /** A failure that a retry can't repair. */
  failed(problem: Problem): void;
}

/** Follows an event stream until `signal` aborts, resuming after `lastId` on every reconnect. */
export async function follow(
  client: Client, path: string, query: Query, lastId: string | undefined, signal: AbortSignal, handlers: TailHandlers,
): Promise<void> {
  let wait = RECONNECT_MS_MIN;
  let first = true;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastId !== undefined) headers['last-event-id'] = lastId;
      const response = await client.response(path, { query, headers, signal });
      handlers.connected(true, first || lastId !== undefined);
      first = false;
      await read(response, (data, id) => {
        wait = RECONNECT_MS_MIN;
        if (id) lastId = id;
        if (data) handlers.message(data, id);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) {
        handlers.failed(error);
        return;
      }
    }
    if (signal.aborted) return;
    handlers.connected(false, true);
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random() / 2)));
    wait = Math.min(wait * 2, RECONNECT_MS_MAX);
  }
}

async function read(response: Response, message: (data: string, id: string) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const blocks = buffer.split(/\r?\n\r?\n/);
    buffer = blocks.pop()!;
    for (const block of blocks) {
      let data = '';
      let id = '';
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith('data:')) data += line.slice(5).trimStart();
        else if (line.startsWith('id:')) id = line.slice(3).trim();
      }
      message(data, id);
    }
  }
}
