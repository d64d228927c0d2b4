/** What each column shows of an event, and which filter stands for it. */
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from '../base/icons.js';
import type { I18n, Message } from '../base/i18n.js';
import { initials, plain, valueText } from '../base/text.js';
import { actionKind, actorKind, isStaff, memberAt, outcomeOf, capitalWords, partyName, timeOf, words, type LogEvent, type Party } from '../model/event.js';
import { memberField } from '../model/filter.js';
import { isoIn } from '../model/time.js';

/**
 * A value that can be filtered for, filtered out and copied. Without a name of a field (`''`) it is looked for as a
 * text anywhere in the event; without any field it can only be copied. `time` asks for what came since and until then.
 */
export interface Pick {
  field?: string;
  value: string;
  /** How people call it, if not by its value. */
  label?: string;
}

/** What may be done with it. */
export type PickAct = 'for' | 'out' | 'copy';

export interface Cell {
  content: TemplateResult | string;
  pick?: Pick;
  title?: string;
}

const LABELS: Record<string, Message> = {
  time: 'Time', actor: 'Actor', action: 'Action', target: 'Target', outcome: 'Outcome', ip: 'IP address',
  source: 'Source', location: 'Location', description: 'Description', id: 'Event id',
};
export const OUTCOMES: Record<string, Message> = { success: 'Success', failure: 'Failed', denied: 'Denied' };

export const columnLabel = (t: I18n['t'], column: string): string => (LABELS[column] ? t(LABELS[column]) : plain(column));

/** Widths as grid tracks: what reads as a value keeps its width, names share the rest. */
export const columnTrack = (column: string): string =>
  ({ time: '118px', outcome: '84px', ip: '128px', action: 'minmax(140px, 1.1fr)', actor: 'minmax(140px, 1.3fr)', target: 'minmax(140px, 1.6fr)', description: 'minmax(160px, 2fr)' })[column]
  ?? 'minmax(100px, 1fr)';

export const partyKey = ({ type, id }: Party): string => `${type}/${id}`;
export const actorPick = (actor: Party): Pick => ({ field: 'actor', value: partyKey(actor), label: partyName(actor) });
export const targetPick = (target: Party): Pick => ({ field: 'target', value: partyKey(target), label: partyName(target) });

/** Texts that the filter language takes without a field. */
const TEXT_CHARS_MAX = 256;

/** The pick of a value that no field of the language names. */
export function textPick(value: unknown): Pick {
  const text = valueText(value);
  const found = (typeof value === 'string' || typeof value === 'number') && text.trim() && text.length <= TEXT_CHARS_MAX;
  return { ...(found && { field: '' }), value: text };
}

/** The pick of an instant, by its wall time with the offset. */
export const timePick = (i18n: I18n, at: number, zone: string): Pick =>
  ({ field: 'time', value: isoIn(at, zone), label: i18n.dates(zone, { dateStyle: 'medium', timeStyle: 'medium' }).format(at) });

export function glyph(actor: Party): TemplateResult {
  const kind = actorKind(actor);
  return html`<span class="glyph ${kind}" aria-hidden="true">${kind === 'person' || kind === 'staff' ? initials(partyName(actor))
    : kind === 'unknown' ? '?' : icon(kind)}</span>`;
}

export const staffTag = (t: I18n['t'], actor: Party) =>
  (isStaff(actor) ? html`<span class="tag warn">${t('Vendor staff')}</span>` : nothing);

/** Clock time with its milliseconds set back. */
export function clock(i18n: I18n, at: number, zone: string): TemplateResult {
  const text = i18n.dates(zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);
  return html`${text}<span class="muted">.${String(at % 1000).padStart(3, '0')}</span>`;
}

export function cell(column: string, event: LogEvent, i18n: I18n, zone: string): Cell {
  const { t } = i18n;
  const context = event.context ?? {};
  const text = (field: string, value: string | undefined): Cell =>
    (value ? { content: html`<bdi class="clip ${field === 'description' ? '' : 'mono'}">${plain(value)}</bdi>`, pick: { field, value }, title: plain(value) } : { content: '' });
  switch (column) {
    case 'time': {
      const at = timeOf(event);
      return { content: html`<time datetime=${event.occurred_at} class="clip">${clock(i18n, at, zone)}</time>`, title: isoIn(at, zone), pick: timePick(i18n, at, zone) };
    }
    case 'actor': {
      const name = partyName(event.actor);
      return {
        content: html`${glyph(event.actor)}<bdi class="clip strong">${name}</bdi>${staffTag(t, event.actor)}`,
        pick: actorPick(event.actor),
        title: [name, event.actor.email, `${event.actor.type}/${event.actor.id}`].filter(Boolean).map(plain).join(' · '),
      };
    }
    case 'action':
      return {
        content: html`<span class="kind ${actionKind(event.action)}"></span><bdi class="mono clip">${plain(event.action)}</bdi>`,
        pick: { field: 'action', value: event.action }, title: plain(event.action),
      };
    case 'target': {
      const [target, ...more] = event.targets ?? [];
      if (!target) return { content: '' };
      return {
        content: html`<span class="clip"><span class="muted">${capitalWords(target.type)}</span> <bdi>${partyName(target)}</bdi></span>${more.length ? html`<span class="muted">+${i18n.number(more.length)}</span>` : nothing}`,
        pick: targetPick(target),
        title: (event.targets ?? []).map((each) => `${words(each.type)} ${partyName(each)}`).join(', '),
      };
    }
    case 'outcome': {
      const outcome = outcomeOf(event);
      return { content: html`<span class=${outcome === 'success' ? 'muted' : 'danger'}>${t(OUTCOMES[outcome]!)}</span>`, pick: { field: 'outcome', value: outcome } };
    }
    case 'ip':
    case 'location':
      return text(column, context[column]);
    case 'description':
    case 'id':
    case 'source':
      return text(column, event[column]);
    default: {
      const [root, ...path] = column.split('.') as [string, ...string[]];
      const value = memberAt(event, [root, ...path]);
      const all = (Array.isArray(value) ? value : [value]).filter((each) => each !== undefined);
      if (!all.length) return { content: '' };
      const text = all.map(valueText).join(', ');
      // Of a list, its first value stands for it.
      const pick = typeof all[0] === 'object' && all[0] !== null ? textPick(all[0]) : { field: memberField(root, path.join('.')), value: valueText(all[0]) };
      return { content: html`<bdi class="mono clip">${plain(text)}</bdi>`, pick, title: plain(text) };
    }
  }
}

/** The zone's short name at an instant (`PDT`). */
export const zoneShort = (i18n: I18n, zone: string, at: number): string =>
  i18n.dates(zone, { timeZoneName: 'short' }).formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? zone;
