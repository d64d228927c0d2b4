/** An event in one sentence. */
import type { I18n } from '../base/i18n.js';
import { plain } from '../base/text.js';
import { partyName, words, type LogEvent } from './event.js';

/**
 * A sentence for the event: the sender's own, or one made from actor, verb and target when the
 * verb is one that the locale knows, or the action's name with its actor.
 */
export function sentence(event: LogEvent, i18n: I18n): string {
  const { t } = i18n;
  if (event.description) return plain(event.description);
  const pieces = event.action.split('.');
  const verb = verbOf(pieces.at(-1)!, i18n);
  const target = event.targets?.[0];
  const actor = partyName(event.actor);
  if (verb && target) return t('{actor} {verb} {type} “{target}”', { actor, verb, type: words(target.type), target: partyName(target) });
  if (verb) return `${actor} ${verb} ${words(pieces.slice(0, -1).join(' '))}`.trim();
  return target ? t('{action} on “{target}” by {actor}', { action: plain(event.action), target: partyName(target), actor })
    : t('{action} by {actor}', { action: plain(event.action), actor });
}

/** The verb that ends an action's name, in the locale; English ones stand for themselves. */
function verbOf(name: string, i18n: I18n): string | undefined {
  return i18n.text(`verb.${name}`) ?? (i18n.locale.startsWith('en') && /^[a-z]+(?<!fail)ed$/.test(name) ? name : undefined);
}
