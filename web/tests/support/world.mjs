/** What all tests stand on: one server with 100,000 events, and ways into its portal. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeBrowser, freshPage, unanswered } from './browser.mjs';
import { hostile, northwind } from './events.mjs';
import { api, startServer } from './server.mjs';

export const EVENTS = Number(process.env.RECOUNT_TEST_EVENTS ?? 100_000);
/** Whole minutes, so that ranges in tests are round. */
export const NOW = Math.floor(Date.now() / 60_000) * 60_000;

export const world = { server: undefined, events: [] };

before(async () => {
  world.events = northwind(EVENTS, NOW);
  if (process.env.RECOUNT_URL) {
    world.server = { ...api(process.env.RECOUNT_URL, process.env.RECOUNT_KEY ?? ''), stop: async () => {} };
    return;
  }
  world.server = await startServer({ RECOUNT_EGRESS_ALLOW: '127.0.0.0/8', AWS_ACCESS_KEY_ID: 'AKIADEPLOYMENT', AWS_SECRET_ACCESS_KEY: 'the deployment’s own' });
  await world.server.append(world.events);
  await world.server.append(hostile(NOW));
  await world.server.append([{ id: 'other-1', tenant: 'contoso', occurred_at: new Date(NOW - 5000).toISOString(), action: 'secret.plan', actor: { type: 'user', id: 'boss' } }]);
  await world.server.must('POST', '/v1/tenants', { id: 'empty' }).catch(() => {});
}, { timeout: 300_000 });

after(async () => {
  await closeBrowser();
  await world.server?.stop();
});

/** Opens the hosted portal with a fresh link. `path` may hold a page and a view: `/exports`, `?filter=…`. */
export async function openPortal(path = '', { tenant = 'northwind', session = {}, browser = {}, before } = {}) {
  const made = await freshPage(browser);
  await before?.(made.page);
  const { url } = await world.server.session(tenant, session);
  const link = new URL(url);
  await made.page.goto(`${link.origin}/portal${path}${link.hash}`);
  return made;
}

/** Opens the log and waits for its first rows. */
export async function openLog(query = '', options = {}) {
  const made = await openPortal(query, options);
  await made.page.locator('[data-row]').first().waitFor();
  return made;
}

/** A test that fails too when the page complained, and closes its page. */
export function behaviour(name, run, options = {}) {
  test(name, { timeout: 240_000, ...options }, async () => {
    const opened = [];
    const track = (promise) => promise.then((made) => (opened.push(made), made));
    try {
      await run({
        log: (...of) => track(openLog(...of)), portal: (...of) => track(openPortal(...of)), page: (...of) => track(freshPage(...of)), server: world.server,
      });
      for (const { problems } of opened) assert.deepEqual(problems, [], 'the page complained');
    } finally {
      for (const { context } of opened) await context.close();
    }
  });
}

export const rows = (page) => page.locator('[data-row]');
/** The number of the last row in the document. */
export const lastRow = (page) => rows(page).evaluateAll((all) => Math.max(-1, ...all.map((row) => Number(row.dataset.row))));
/** The texts of the visible cells of one column. */
export const column = (page, name) => page.locator(`[data-row] .cell.${name}`).allInnerTexts();
/** The view in the address. */
export const view = (page) => new URL(page.url()).searchParams;
/** Waits until a page has the answers to all that it asked, and has drawn them. */
export async function settled(page) {
  do {
    await eventually(() => unanswered(page), []);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  } while (unanswered(page).length);
}
/** Waits until `read` gives what is expected. */
export async function eventually(read, expected, milliseconds = 45_000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await read();
    try {
      if (typeof expected === 'function') assert.ok(expected(value), `unexpected: ${JSON.stringify(value)}`);
      else assert.deepEqual(value, expected);
      return value;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}
