/** What becomes of a filter when one of the values on screen is picked. */
import { formatFilter, parseFilter, quote, type Condition } from './filter.js';

/**
 * The filter that keeps to one value of a field, or leaves it out. Keeping to it takes the place of what was asked of
 * the field: every row already answers to that. What is left out joins into one term. Without a field it is about a
 * text anywhere, and all texts must be there.
 */
export function withValue(filter: string, field: string, value: string, negated: boolean): string {
  const written = quote(value);
  const asked: Condition = { negated, field, raw: [written] };
  const others: Condition[] = parseFilter(filter).terms
    .map((term) => (term.field === field ? { ...term, raw: term.raw.filter((other) => other !== written) } : term))
    .filter((term) => term.raw.length);
  if (!field) return formatFilter([...others, asked]);
  if (!negated) return formatFilter([...others.filter((term) => term.field !== field || term.negated), asked]);
  const out = others.find((term) => term.field === field && term.negated);
  out?.raw.push(written);
  return formatFilter(out ? others : [...others, asked]);
}
