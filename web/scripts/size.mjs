/**
 * What readers wait for, in gzipped bytes of the build, and whether it fits its budget. README.md says
 * what is counted. `start` is what a page that shows the log fetches by itself; a browser test
 * (tests/embedded.test.mjs) holds the page to this list.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const KB = 1024;
const dist = process.env.RECOUNT_UI_DIST ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '../../crates/recount-ui/dist');
const LOCALES = ['recount-fr.js'];

/** The module and all that it imports before it runs. */
function closure(module, seen = new Set()) {
  if (seen.has(module)) return seen;
  seen.add(module);
  const text = readFileSync(path.join(dist, module), 'utf8');
  for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) closure(name, seen);
  return seen;
}

const union = (...modules) => [...new Set(modules.flatMap((module) => [...closure(module)]))];
const all = readdirSync(dist).filter((file) => file.endsWith('.js') && !LOCALES.includes(file));
const first = union('recount-log.js');
export const start = union('recount-log.js', 'recount-counts.js');

const TABLE = [
  ['log: rows, filter, range, keyboard', first, 25 * KB],
  ['log: and histogram, counts, views', start, 32 * KB],
  ['log: and everything on demand', union(...start, 'recount-later.js')],
  ['portal: everything', all, 60 * KB],
  ['French, for its readers', LOCALES],
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let failed = false;
  for (const [what, modules, budget] of TABLE) {
    const bytes = modules.reduce((sum, name) => sum + statSync(path.join(dist, `${name}.gz`)).size, 0);
    failed ||= bytes > budget;
    console.log(`${bytes > budget ? 'OVER' : 'ok  '} ${what.padEnd(36)} ${String(bytes).padStart(6)} B ${(bytes / KB).toFixed(1).padStart(5)} KB${budget ? ` of ${budget / KB}` : ''}  ${modules.join(' ')}`);
  }
  process.exit(failed ? 1 : 0);
}
