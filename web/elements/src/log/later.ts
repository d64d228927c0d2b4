/** The pieces of the log page that are fetched when they are first needed: details, panels, menus, dialogs, live. */
import './detail.js';
import './log-menus.js';
import './states.js';
import './time-panel.js';
export { Live, LIVE_ROWS_MAX } from './live.js';
export { copyText } from '../base/clipboard.js';
export { Suggester } from './suggest.js';
export { withValue } from '../model/narrow.js';
