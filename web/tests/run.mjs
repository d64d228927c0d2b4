/**
 * All browser tests, in one process against one server. Run by `npm test`; node's own
 * `--test-name-pattern` chooses some: `node --test-name-pattern='^7' tests/run.mjs`.
 */
import { readdirSync } from 'node:fs';

for (const file of readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test.mjs')).sort()) {
  if (process.env.RECOUNT_TESTS && !file.includes(process.env.RECOUNT_TESTS)) continue;
  await import(new URL(file, import.meta.url));
}
