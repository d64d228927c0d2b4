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

/** Other names that the server takes for the fields above. */
const ALIASES: Record<string, FieldName> = {
  user: 'actor', by: 'actor', who: 'actor', event: 'action', result: 'outcome', status: 'outcome', email: 'actor.email', resource: 'target', targets: 'target',
  ip_address: 'ip', source_ip: 'ip', useragent: 'user_agent', ua: 'user_agent', session: 'session_id', request: 'request_id', event_id: 'id', changes: 'change', changed: 'change',
};

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

export const isField = (name: string): boolean => name in FIELDS || name in ALIASES || /^(metadata|tags)\../.test(name);

/** A written value as what it stands for; a final `*` stays. */
export const unquote = (raw: string): string => (raw[0] === '"' ? raw.replace(/^"|"(?=\*?$)/g, '').replace(/\\(.)/g, (_, c: string) => ({ n: '\n', r: '\r', t: '\t' })[c] ?? c) : raw);

/** A value as it must be written to stand for exactly this text. */
export const quote = (value: string): string =>
  (/^[^\s,"*\\-][^\s,"*\\]*$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`);

/** Reads a filter; what it can't understand is a mistake and not a term. */
export function parseFilter(text: string): { terms: Term[]; mistakes: Mistake[] } {
  const terms: Term[] = [];
  const mistakes: Mistake[] = [];
  let at = 0;
  const skip = () => { while (/\s/.test(text[at] ?? '')) at++; };
  for (skip(); at < text.length; skip()) {
    const start = at;
    const negated = text[at] === '-';
    if (negated) at++;
    const typed = /^[\w.-]*[\w]:(?!\/\/)/.exec(text.slice(at))?.[0].slice(0, -1) ?? '';
    const name = ALIASES[typed.toLowerCase()] ?? typed;
    if (typed) at += typed.length + 1;
    const raw: string[] = [];
    let broken: Mistake['kind'] | undefined;
    do {
      if (raw.length) at++;
      const from = at;
      if (text[at] === '"') {
        for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
        if (text[at] === '"') at++;
        else broken = 'quote';
        if (text[at] === '*') at++;
      } else {
        while (at < text.length && !/\s/.test(text[at]!) && !(typed && text[at] === ',')) at++;
      }
      if (from === at) broken ??= 'value';
      raw.push(text.slice(from, at));
    } while (typed && text[at] === ',');
    const token = text.slice(start, at);
    if (name && !isField(name)) broken = 'field';
    if (broken) mistakes.push({ start, end: at, kind: broken, token });
    else terms.push({ negated, field: name, raw, start, end: at });
  }
  return { terms, mistakes };
}

export const formatTerm = ({ negated, field, raw }: Condition): string => `${negated ? '-' : ''}${field ? `${field}:` : ''}${raw.join(',')}`;

export const formatFilter = (terms: readonly Condition[]): string => terms.map(formatTerm).join(' ');

/** The filter for exactly one value of a field. */
export const condition = (field: string, value: string, negated = false): string => formatTerm({ negated, field, raw: [quote(value)] });

/**
 * The filter with one more value of a field asked for (or out). Values of one field join into one
 * term, so that asking for a second actor shows both instead of nothing.
 */
export function withValue(filter: string, field: string, value: string, negated: boolean): string {
  const written = quote(value);
  const kept: Condition[] = parseFilter(filter).terms
    .map((term) => (term.field === field && term.negated !== negated ? { ...term, raw: term.raw.filter((other) => other !== written) } : term))
    .filter((term) => term.raw.length);
  const same = kept.find((term) => term.field === field && term.negated === negated);
  if (!same) kept.push({ negated, field, raw: [written] });
  else if (!same.raw.includes(written)) same.raw.push(written);
  return formatFilter(kept);
}
