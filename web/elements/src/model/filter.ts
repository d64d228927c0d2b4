/**
 * The filter language on the client: enough to show chips, complete words and point at mistakes.
 * The server's parser decides; the rules here are the same (docs/filter.md).
 */

/** The fields of the language, with the texts that name them. */
export const FIELDS = {
  actor: 'actor', action: 'action', target: 'target', outcome: 'outcome', ip: 'IP address', source: 'source',
  'actor.id': 'actor id', 'actor.type': 'actor type', 'actor.name': 'actor name', 'actor.email': 'actor email',
  'target.id': 'target id', 'target.type': 'target type', 'target.name': 'target name',
  location: 'location', user_agent: 'user agent', session_id: 'session id', request_id: 'request id',
  description: 'description', reason: 'reason', change: 'changed field', id: 'event id',
} as const;
export type FieldName = keyof typeof FIELDS;

/** Other names that the server takes for them (recount-event's filter/names.rs). */
const ALIASES = new Map(Object.entries({
  id: 'event_id event.id', action: 'event action.name', outcome: 'result status', actor: 'user by who',
  'actor.id': 'actor_id user.id user_id', 'actor.type': 'actor_type', 'actor.name': 'actor_name user.name', 'actor.email': 'actor_email user.email email',
  target: 'targets resource', 'target.id': 'targets.id target_id', 'target.type': 'targets.type target_type', 'target.name': 'targets.name target_name',
  ip: 'context.ip ip_address source_ip', user_agent: 'context.user_agent useragent ua', location: 'context.location',
  session_id: 'context.session_id session session.id', request_id: 'context.request_id request request.id', change: 'changes changed changes.field change.field',
}).flatMap(([field, names]) => names.split(' ').map((name) => [name, field])));

/** One condition. Without a field, it is about the one word or phrase searched for. */
export interface Condition {
  negated: boolean;
  field: string;
  /** The values as they are written: quoted where they need to be. */
  raw: string[];
}

export interface Term extends Condition {
  start: number;
  end: number;
}

export interface Mistake {
  start: number;
  end: number;
  kind: 'field' | 'value' | 'quote';
  token: string;
}

/** What a field's written name stands for: the canonical name, or undefined if there is no such field. */
export function fieldOf(name: string): string | undefined {
  const [, root, path] = /^(metadata|meta|tags?)\.(.+)$/is.exec(name) ?? [];
  if (root) return `${/^m/i.test(root) ? 'metadata' : 'tags'}.${path}`;
  const lower = name.toLowerCase();
  return Object.hasOwn(FIELDS, lower) ? lower : ALIASES.get(lower);
}

/** The field of a member of `metadata` or `tags`, written as a filter must. */
export const memberField = (root: string, path: string): string => `${root}.${/[\s:",]/.test(path) ? quoted(path) : path}`;

/** A written value as what it stands for; a final `*` stays. */
export const unquote = (raw: string): string => (raw[0] === '"' ? raw.replace(/^"|"(?=\*?$)/g, '').replace(/\\(.)/g, (_, c: string) => ({ n: '\n', r: '\r', t: '\t' })[c] ?? c) : raw);

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;

/** A value as it must be written to stand for exactly this text. */
export const quote = (value: string): string => (/^[^\s,"*\\-][^\s,"*\\]*$/.test(value) ? value : quoted(value));

/** A text in quotes (its last one may lack), and a field's name up to what ends it. */
const QUOTED = /"(?:[^"\\]|\\.)*(?:"|$)/sy;
const NAME = /(?:(?:metadata|meta|tags?)\."(?:[^"\\]|\\.)+"|[^\s:",]+)(?=:)/siy;
const VALUE = /[^\s,]*/y;
const REST = /\S*/y;

/**
 * Reads a filter. What can't be understood is a mistake, and stands among the terms as the text that it is: a
 * condition that the server may know is never hidden, nor lost when another one is changed.
 */
export function parseFilter(text: string): { terms: Term[]; mistakes: Mistake[] } {
  const terms: Term[] = [];
  const mistakes: Mistake[] = [];
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const taken = pattern.exec(text)?.[0] ?? '';
    at += taken.length;
    return taken;
  };
  for (take(/\s*/y); at < text.length; take(/\s*/y)) {
    const start = at;
    const negated = !!take(/-/y);
    const name = take(NAME);
    const field = fieldOf(name);
    // A colon behind something like a field's name asks for a field; behind anything else it is part of a text.
    let broken: Mistake['kind'] | undefined = name && !field && /^[a-z_][\w.-]*$/i.test(name) ? 'field' : undefined;
    if (!field) at -= name.length;
    const raw: string[] = [];
    do {
      if (field) at++;
      const from = at;
      const inQuotes = take(QUOTED);
      if (inQuotes && !/^"(?:[^"\\]|\\.)*"$/s.test(inQuotes)) broken ??= 'quote';
      take(inQuotes ? /\*/y : field ? VALUE : REST);
      if (from === at) broken ??= 'value';
      raw.push(text.slice(from, at));
    } while (field && text[at] === ',');
    const whole = !take(REST);
    if (broken) mistakes.push({ start, end: at, kind: broken, token: text.slice(start, at) });
    terms.push(broken || !whole ? { negated: false, field: '', raw: [text.slice(start, at)], start, end: at } : { negated, field: field ?? '', raw, start, end: at });
  }
  return { terms, mistakes };
}

export const formatTerm = ({ negated, field, raw }: Condition): string => `${negated ? '-' : ''}${field ? `${field}:` : ''}${raw.join(',')}`;

export const formatFilter = (terms: readonly Condition[]): string => terms.map(formatTerm).join(' ');

/** The filter for exactly one value of a field. */
export const condition = (field: string, value: string, negated = false): string => formatTerm({ negated, field, raw: [quote(value)] });
