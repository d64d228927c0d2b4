/** Fails when a module outgrew its budget (gzipped bytes of the committed build). The log's budget is what comes before its first
 * rows; the portal's is everything there is in English. A further language adds its own module. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const KB = 1024;
const BUDGETS_BYTES = { 'recount-log.js': 25 * KB, 'recount-log.js + recount-later.js + recount-export.js + recount.js + portal.js': 60 * KB };

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../crates/recount-ui/dist');
let failed = false;
for (const [names, budget] of Object.entries(BUDGETS_BYTES)) {
  const bytes = names.split(' + ').reduce((sum, name) => sum + statSync(path.join(dist, `${name}.gz`)).size, 0);
  failed ||= bytes > budget;
  console.log(`${bytes > budget ? 'OVER' : 'ok  '} ${names}: ${(bytes / KB).toFixed(1)} of ${budget / KB} KB gzipped`);
}
process.exit(failed ? 1 : 0);
