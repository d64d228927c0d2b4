/** The pieces of the log page that are always in view but come behind its first rows: what they show takes a question of its own. */
import './histogram.js';
import './saved-views.js';
import './status-line.js';
