/** The pieces of the log page that its first rows do not need. */
import './detail.js';
import './histogram.js';
import './log-menus.js';
import './saved-views.js';
import './states.js';
import './status-line.js';
import './time-panel.js';
export { Live, countedIn, LIVE_ROWS_MAX } from './live.js';
export { copyText } from '../base/clipboard.js';
export { Suggester } from './suggest.js';
export { withValue } from '../model/narrow.js';
