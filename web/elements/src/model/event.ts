/** Events as the API serves them, and how they are named on screen. */
import { plain } from '../base/text.js';

export type Outcome = 'success' | 'failure' | 'denied';
export type Json = unknown;

export interface Party {
  type: string;
  id: string;
  name?: string;
  email?: string;
  metadata?: Record<string, Json>;
}

export interface Change {
  field: string;
  before?: Json;
  after?: Json;
}

export interface LogEvent {
  id: string;
  tenant: string;
  occurred_at: string;
  received_at: string;
  seq: number;
  action: string;
  outcome?: Outcome;
  actor: Party;
  targets?: Party[];
  context?: Record<string, string>;
  source?: string;
  description?: string;
  reason?: string;
  changes?: Change[];
  tags?: Record<string, Json>;
  metadata?: Record<string, Json>;
}

export const outcomeOf = (event: LogEvent): Outcome => event.outcome ?? 'success';
export const timeOf = (event: LogEvent): number => Date.parse(event.occurred_at);
export const partyName = (party: Party): string => plain(party.name || party.email || party.id);

/** What Recount itself recorded: sessions, exports, keys, streams. */
export const isOwn = (event: LogEvent): boolean => event.source === 'recount';

/** The member of an object at a path of names, if it has one. */
export const memberAt = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((at, name) => (typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined), object);

/** What the vendor's own people are called as actors; they get a tag, since customers look for them. */
const STAFF_TYPES = new Set(['staff', 'support', 'operator', 'vendor']);
export const isStaff = (party: Party): boolean => STAFF_TYPES.has(party.type);

/** How an actor acts: as a person, with a key, or as a system. */
export function actorKind(party: Party): 'person' | 'key' | 'system' | 'staff' | 'unknown' {
  if (isStaff(party)) return 'staff';
  if (/key|token|credential/.test(party.type)) return 'key';
  if (/user|member|person|admin|employee|contact/.test(party.type)) return 'person';
  if (/^(unknown|anonymous)$/.test(party.type)) return 'unknown';
  return 'system';
}

/** What an action does to its target, told from the verb that ends its name. */
export function actionKind(action: string): 'create' | 'update' | 'delete' | 'other' {
  const verb = /[^._]*$/.exec(action)![0];
  if (/^(creat|add|invit|provision|grant|enabl|upload)/.test(verb)) return 'create';
  if (/^(delet|remov|revok|deprovision|disabl|purg)/.test(verb)) return 'delete';
  if (/^(updat|chang|rotat|renam|edit|mov|assign|enforc|set)/.test(verb)) return 'update';
  return 'other';
}

/** `sso_connection` as words: “SSO connection”. */
export const words = (name: string): string =>
  plain(name).replace(/[_-]+/g, ' ').replace(/\b(api|id|ip|mfa|sso|url)\b/g, (short) => short.toUpperCase());
export const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);
export const capitalWords = (name: string): string => capital(words(name));
