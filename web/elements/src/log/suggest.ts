/** What a half-typed filter may become: fields, and values with their counts; and what is wrong with it. */
import type { Client } from '../base/client.js';
import type { I18n } from '../base/i18n.js';
import { eventsParams, type EventsPage, type FacetsAnswer, type FacetValue } from '../model/api.js';
import { partyName } from '../model/event.js';
import { condition, fieldOf, FIELDS, formatFilter, quote, type Mistake, type Term } from '../model/filter.js';
import type { Range } from '../model/time.js';
import { partyKey } from './cells.js';

const SUGGESTIONS_MAX = 9;
const FIELDS_SHOWN_FIRST = 6;
const VALUES_MAX = 100;

type Span = Pick<Range, 'from' | 'to'>;

export interface Suggestion {
  /** What the draft becomes. */
  insert: string;
  /** Whether that completes a term, which then turns into a chip. */
  done: boolean;
  negated: boolean;
  label: string;
  value?: string;
  count?: number;
}

/** The word being typed: its sign, its field, the values before its last one, and what is written of that. */
function wordOf(draft: string) {
  const last = /(?:^|\s)((-?)([\w.]+:)?((?:[^\s,"]*,|"[^"]*",)*)("[^"]*|[^\s,"]*))$/.exec(draft);
  const [, whole = '', sign = '', field = '', head = '', typed = ''] = last ?? [];
  return { before: draft.slice(0, draft.length - whole.length), sign, field: fieldOf(field.slice(0, -1)) ?? field.slice(0, -1), head, typed: typed.replace('"', '') };
}

/** Fields whose values are known by a name that is not the value. */
const NAMED = new Set(['actor', 'target']);

interface Known {
  field: string;
  /** What was asked, so that it is asked once. */
  asked: string;
  list: FacetValue[];
  /** The server chose by what was typed, so that names match too. */
  chosen: boolean;
}

export class Suggester {
  #known: Known[] = [];

  /** `names` gets the display names that are found on the way. */
  constructor(private readonly client: Client, private readonly names: Map<string, string>) {}

  /** Asks for the values that the draft could name; true if there are new ones. */
  async load(draft: string, terms: readonly Term[], span: Span): Promise<boolean> {
    const { field, typed } = wordOf(draft);
    const fields = field ? (fieldOf(field) ? [field] : []) : typed ? ['action', 'actor'] : [];
    const loaded = await Promise.all(fields.map(async (name) => {
      const chosen = NAMED.has(name) && typed.length > 1 && !/[/*@]/.test(typed);
      const rest = formatFilter(terms.filter((term) => term.field !== name));
      const filter = chosen ? `${rest} ${name}:${quote(typed)}*`.trim() : rest;
      const asked = JSON.stringify([filter, span.from, span.to]);
      if (this.#known.some((known) => known.field === name && known.asked === asked)) return false;
      const list = await this.#facets(name, filter, span).catch(() => []);
      if (NAMED.has(name)) await Promise.all(list.slice(0, SUGGESTIONS_MAX).map(({ value }) => this.#learn(name, value)));
      this.#known = [...this.#known.filter((known) => known.field !== name), { field: name, asked, list, chosen }];
      return true;
    }));
    return loaded.includes(true);
  }

  /** The most frequent values of a field under a filter. */
  async #facets(field: string, filter: string, span: Span): Promise<FacetValue[]> {
    const answer = await this.client.get<FacetsAnswer>('/v1/events/facets', { ...eventsParams({ filter, ...span }), fields: field, limit: VALUES_MAX });
    return answer.facets[0]?.values ?? [];
  }

  /** Finds how an actor or target is called, from one of its events. */
  async #learn(field: string, value: string): Promise<void> {
    if (this.names.has(value)) return;
    const { data } = await this.client.get<EventsPage>('/v1/events', { filter: condition(field, value), limit: 1 }).catch(() => ({ data: [] }));
    for (const { actor, targets = [] } of data) for (const party of [actor, ...targets]) this.names.set(partyKey(party), partyName(party));
  }

  /** What is wrong with a piece of the draft. */
  explain({ kind, token }: Mistake, t: I18n['t']): string {
    if (kind === 'field') {
      return t('“{token}” names no field. Fields: {fields}, metadata.…, tags.…. To search for the text itself, put it in quotes.',
        { token: token.replace(/:.*/, '').replace('-', ''), fields: Object.keys(FIELDS).slice(0, FIELDS_SHOWN_FIRST).join(', ') });
    }
    return kind === 'quote' ? t('The quote in “{token}” is not closed.', { token }) : t('“{token}” has no value.', { token });
  }

  list(draft: string, label: (field: string) => string): Suggestion[] {
    const { before, sign, field, head, typed } = wordOf(draft);
    const wanted = typed.toLowerCase();
    const negated = sign === '-';
    const values = (name: string, max: number): Suggestion[] => {
      const known = this.#known.find((each) => each.field === name);
      return (known?.list ?? [])
        .filter(({ value }) => known!.chosen || value.toLowerCase().includes(wanted) || this.names.get(value)?.toLowerCase().includes(wanted))
        .slice(0, max)
        .map(({ value, count }) => ({ insert: `${before}${sign}${name}:${field ? head : ''}${quote(value)}`, done: true, negated, label: label(name), value, count }));
    };
    if (field) return values(field, SUGGESTIONS_MAX);
    const fields: Suggestion[] = Object.keys(FIELDS)
      .filter((name) => !wanted || name.startsWith(wanted) || label(name).toLowerCase().startsWith(wanted))
      .map((name) => ({ insert: `${before}${sign}${name}:`, done: false, negated, label: label(name) }));
    return wanted ? [...fields.slice(0, 4), ...values('action', 3), ...values('actor', 3)].slice(0, SUGGESTIONS_MAX) : fields.slice(0, FIELDS_SHOWN_FIRST);
  }
}
