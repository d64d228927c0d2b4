/** axe, inside of the page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe runs in a page that enforces Trusted Types and forbids foreign scripts. */
export const relaxed = { bypassCSP: true };

/** Adds what axe finds to `found`, each under the name of what was looked at. */
export async function audit(page, what, found) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  found.push(...violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ target, failureSummary }) => `${target.flat().join(' ')} ${failureSummary.split('\n').slice(1).join(' ')}`).slice(0, 3).join(' | ')}`));
}
