/** Behaviour 25 where it is easily forgotten: dialogs, menus and states, for readers of screens and of French. */
import assert from 'node:assert/strict';
import { audit } from './support/axe.mjs';
import { behaviour, rows } from './support/world.mjs';

const problem = (status, code, detail) => ({ status, contentType: 'application/problem+json', headers: { 'x-request-id': 'req_4711' }, body: JSON.stringify({ title: code, code, detail }) });
const counted = (page) => page.locator('recount-status-line strong').waitFor();
const list = async (page) => { await rows(page).first().waitFor(); await counted(page); };
const opened = (page, button) => async () => { await list(page); await page.getByRole('button', button).first().click(); };

/** name → how to get there; `open` names the buttons in two languages. */
const PLACES = {
  help: { async go(page) { await list(page); await page.keyboard.press('?'); await page.locator('dialog[open]').waitFor(); } },
  views: { async go(page) { await list(page); await page.keyboard.press('v'); await page.locator('recount-saved-views :popover-open').waitFor(); } },
  'save view': { at: '?filter=actor%3Auser%2Fu_1', async go(page) { await list(page); await page.keyboard.press('v'); await page.getByRole('button', { name: /Save this view…|Enregistrer cette vue…/ }).click(); await page.locator('dialog[open]').waitFor(); } },
  columns: { go: (page) => opened(page, { name: /^(Columns|Colonnes)$/ })() },
  time: { async go(page) { await list(page); await page.keyboard.press('t'); await page.locator('#typed').fill('someday'); await page.locator('#typed').press('Enter'); await page.locator('#why.mistake').waitFor(); } },
  'value menu': { async go(page) { await list(page); await rows(page).first().locator('.cell.actor').hover(); await rows(page).first().locator('.cell.actor .pick').click(); await page.locator('#pick:popover-open').waitFor(); } },
  export: { at: '?filter=action%3Aproject.deleted&time=7d', async go(page) { await list(page); await page.keyboard.press('e'); await page.locator('dialog[open]').waitFor(); } },
  'failed export': { at: '?filter=action%3Aproject.deleted&time=7d', async go(page) {
    await list(page);
    await page.route('**/v1/export**', (route) => route.fulfill(problem(500, 'internal', '')));
    await page.keyboard.press('e');
    await page.locator('dialog[open] .primary').click();
    await page.locator('dialog[open] .note.bad').waitFor();
  } },
  zoomed: { at: '?time=2026-01-01T00%3A00%3A00.000Z..2026-12-31T00%3A00%3A00.000Z&zoom=all', async go(page) { await list(page); await page.locator('recount-histogram .out').waitFor(); } },
  mistake: { async go(page) { await list(page); await page.keyboard.press('/'); await page.keyboard.type('colour:red'); await page.keyboard.press('Enter'); await page.locator('#mistake').waitFor(); } },
  related: { at: '?filter=action%3Arole.updated', async go(page) { await list(page); await rows(page).first().click(); await page.getByRole('tab').nth(1).click(); await page.locator('.near').first().waitFor(); } },
  'none yet': { tenant: 'empty', async go(page) { await page.locator('recount-no-match .none').waitFor(); } },
  'no match': { at: '?filter=action%3Arole.updated%20actor%3Anobody', async go(page) { await page.locator('recount-no-match .ways code').first().waitFor(); } },
  'no event': { at: '?event=none', async go(page) { await list(page); await page.locator('.side recount-problem .state').waitFor(); } },
  error: { async before(page) { await page.route('**/v1/events?**', (route) => route.fulfill(problem(500, 'data_damaged', ''))); }, async go(page) { await page.locator('recount-problem h2').waitFor(); } },
  'no right': { async before(page) { await page.route('**/v1/events?**', (route) => route.fulfill(problem(403, 'forbidden', ''))); }, async go(page) { await page.locator('recount-problem h2').waitFor(); } },
  ended: { async go(page) {
    await list(page);
    await page.route('**/v1/**', (route) => route.fulfill(problem(401, 'unauthenticated', '')));
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.locator('recount-log-banner .note').waitFor();
  } },
  partial: { async before(page) {
    await page.route('**/v1/events/histogram**', async (route) => { const answer = await route.fetch(); await route.fulfill({ response: answer, json: { ...(await answer.json()), exact: false, covered_from: '2026-11-20T08:00:00Z' } }); });
  }, async go(page) { await list(page); await page.locator('recount-log-banner .note').waitFor(); } },
};

async function visit(portal, name, options, look) {
  const place = PLACES[name];
  const { browser, ...rest } = options;
  const made = await portal('', { tenant: place.tenant, browser: { bypassCSP: true, ...browser }, ...rest, before: undefined });
  const { page } = made;
  await page.locator('recount-log').waitFor();
  await place.before?.(page);
  await page.goto(new URL(`/portal${place.at ?? ''}`, page.url()).href);
  try {
    await place.go(page);
    await look(page);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  } finally {
    made.problems.length = 0;
    await made.context.close();
  }
}

behaviour('25. axe finds nothing in dialogs, menus and states, light and dark', async ({ portal }) => {
  for (const name of Object.keys(PLACES)) {
    await visit(portal, name, {}, async (page) => {
      const found = [];
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await audit(page, colorScheme, found);
      }
      assert.deepEqual(found, []);
    });
  }
}, { timeout: 480_000 });

const ENGLISH = /\b(the|and|of|with|from|until|since|events?|filter|time|copy|close|keys|views|columns|loading|search|settings|state|add|success|denied|failed|last|days|today|yesterday|november|changes|where|actor|target|your|has|not|yet|show|save|share|start|range|zone|single|zoom|try|again|error|could|be|no|new|live|export|rows|format)\b/i;

/** Texts and labels on the page that are neither data nor code. */
const texts = (page) => page.evaluate(() => {
  const found = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.closest('bdi, code, pre, .mono, .words, style, option, kbd') || node.localName === 'style' || (node.checkVisibility && !node.checkVisibility())) continue;
      for (const name of ['aria-label', 'title', 'placeholder']) if (node.getAttribute(name) && !node.closest('.cell, h2')) found.push(node.getAttribute(name));
      for (const child of node.childNodes) if (child.nodeType === 3 && child.data.trim()) found.push(child.data.trim());
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document.body);
  return found;
});

behaviour('25. French has no English left in dialogs, menus and states', async ({ portal }) => {
  for (const name of Object.keys(PLACES)) {
    await visit(portal, name, { session: { locale: 'fr' }, browser: { locale: 'fr-FR' } }, async (page) => {
      const data = /Champs : .*?…\.|Filtrer ou copier .*|Retirer le filtre .*|« .* »|\S+:\S+|[\w.]+\.[\w.]+|JSONL?|actions?|sources?|description|sessions?|exports?\b|format|zone|direct|Support · J\. Ortiz/gi;
      assert.deepEqual((await texts(page)).filter((text) => ENGLISH.test(text.replace(data, ''))), []);
    });
  }
}, { timeout: 480_000 });

behaviour('25. one is one in French too', async ({ portal, server }) => {
  const tenant = 'un-seul';
  await server.append([{ tenant, occurred_at: new Date(Date.now() - 60_000).toISOString(), action: 'test.denied', outcome: 'denied', actor: { type: 'user', id: 'u_1' } }]);
  const { page } = await portal('?filter=action%3Atest.denied', { tenant, session: { locale: 'fr' } });
  await page.getByRole('button', { name: '1 refusé', exact: true }).waitFor();
});
