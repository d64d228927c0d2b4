/**
 * Events as CSV with the columns and the zone of a view (RFC 4180).
 *
 * A cell that a spreadsheet would run as a formula gets a single quote before it, as the server's
 * own CSV does (OWASP, "CSV injection").
 */
import { valueText } from '../base/text.js';
import { memberAt, outcomeOf, timeOf, type LogEvent } from './event.js';
import { isoIn } from './time.js';

const FORMULA = /^[=+\-@\t\r]/;

function csvCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const row = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** The columns of the file: each of the view's, and beside a name the id that it stands for. */
const csvColumns = (columns: readonly string[]): string[] =>
  columns.flatMap((column) => (column === 'actor' || column === 'target' ? [column, `${column}_id`] : [column]));

export const csvHead = (columns: readonly string[]): string => row(csvColumns(columns));

export const csvRow = (event: LogEvent, columns: readonly string[], zone: string): string =>
  row(csvColumns(columns).map((column) => value(event, column, zone)));

function value(event: LogEvent, column: string, zone: string): string {
  const target = event.targets?.[0];
  switch (column) {
    case 'time': return isoIn(timeOf(event), zone);
    case 'actor': return event.actor.name ?? event.actor.email ?? event.actor.id;
    case 'actor_id': return `${event.actor.type}/${event.actor.id}`;
    case 'target': return event.targets?.map((each) => each.name ?? each.id).join('; ') ?? '';
    case 'target_id': return target ? event.targets!.map((each) => `${each.type}/${each.id}`).join('; ') : '';
    case 'outcome': return outcomeOf(event);
    case 'ip': case 'location': return event.context?.[column] ?? '';
    default: return valueText(memberAt(event, column.split('.')));
  }
}
