/** The log element alone: the smallest module for a page that shows only the events. */
export { registerLocale, type Catalogue, type Message } from './base/i18n.js';
export type { FetchSession, Me } from './base/client.js';
export { RecountLog } from './log/recount-log.js';
export { condition } from './model/filter.js';
