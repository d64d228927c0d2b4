/** Behaviour 25: accessible in every guise, French without a word of English left. */
import assert from 'node:assert/strict';
import { audit, relaxed } from './support/axe.mjs';
import { behaviour, eventually, rows, settled } from './support/world.mjs';

async function tour(portal, browser, what, session = {}) {
  const { page } = await portal('?filter=action%3Arole.updated%20-actor%3Anobody', { browser: { ...relaxed, ...browser }, session });
  const found = [];
  await rows(page).first().waitFor();
  await page.locator('recount-histogram rect.bar').first().waitFor();
  await audit(page, `${what}, list`, found);
  await rows(page).first().click();
  await page.locator('recount-event-detail .diff').waitFor();
  await audit(page, `${what}, details`, found);
  await page.keyboard.press('Escape');
  await page.locator('recount-time-field button').first().click();
  await page.locator('#typed').waitFor();
  await audit(page, `${what}, time`, found);
  await page.keyboard.press('Escape');
  await page.getByRole('combobox').first().fill('act');
  await page.getByRole('option').first().waitFor();
  await audit(page, `${what}, suggestions`, found);
  await page.getByRole('combobox').first().fill('');
  await page.keyboard.press('Escape');
  await page.locator('.toolbar > .btn').last().click();
  await page.locator('recount-export-dialog dialog[open]').waitFor();
  await audit(page, `${what}, export`, found);
  await page.keyboard.press('Escape');
  for (const path of ['exports', 'streams', 'keys']) {
    await page.locator(`nav a[href$="/${path}"]`).click();
    await page.locator(`recount-${path} h1`).waitFor();
    await settled(page);
    await audit(page, `${what}, ${path}`, found);
  }
  assert.deepEqual(found, []);
}

for (const [what, browser] of Object.entries({
  light: {}, dark: { colorScheme: 'dark' }, '320 px': { viewport: { width: 320, height: 640 } }, '200 % zoom': { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
  'more contrast, dark': { colorScheme: 'dark', contrast: 'more' },
})) {
  behaviour(`25. axe finds nothing: ${what}`, async ({ portal }) => tour(portal, browser, what), { timeout: 300_000 });
}

behaviour('25. axe finds nothing, and the layout turns around: right to left', async ({ portal }) => {
  await tour(portal, {}, 'right to left', { locale: 'ar' });
}, { timeout: 300_000 });

behaviour('25. nothing spills over at 320 px', async ({ portal }) => {
  for (const path of ['', '/exports', '/streams', '/keys']) {
    const { page } = await portal(path, { browser: { viewport: { width: 320, height: 640 } } });
    await page.locator('recount-portal .body > *').first().waitFor();
    await settled(page);
    const { wide, width } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, width: innerWidth }));
    assert.ok(wide <= width, `${path || '/'}: ${wide} px wide`);
  }
});

behaviour('25. where a table has no room for its head, each value says what it is', async ({ portal, server }) => {
  const tenant = 'labelled';
  const { token } = await server.session(tenant);
  await server.must('POST', '/v1/keys', { name: 'SIEM reader', scopes: ['events:read'] }, token);
  const { page } = await portal('/keys', { tenant, browser: { viewport: { width: 320, height: 640 } } });
  const cells = page.locator('recount-keys tbody tr').first().locator('td');
  await cells.first().waitFor();
  const told = await cells.evaluateAll((all) => all.map((cell) => getComputedStyle(cell, '::before').content));
  assert.deepEqual(told, ['none', '"May"', '"Created"', '"Last used"', '"Expires"', 'none']);
});

behaviour('25. from right to left, a text of the other direction ends where it ends, on the page’s side', async ({ portal }) => {
  const { page } = await portal('/streams', { session: { locale: 'ar' } });
  const text = page.locator('recount-streams .top p');
  await text.waitFor();
  const { stop, before, end, edge } = await text.evaluate((element) => {
    const node = [...element.childNodes].find(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
    const at = (from) => {
      const range = new Range();
      range.setStart(node, from);
      range.setEnd(node, from + 1);
      return range.getBoundingClientRect();
    };
    const last = node.data.trimEnd().length - 1;
    return { stop: at(last).x, before: at(last - 1).x, end: at(last).right, edge: element.getBoundingClientRect().right };
  });
  assert.ok(stop > before, 'the full stop follows the last letter');
  assert.ok(Math.abs(edge - end) < 1, `the line ends ${edge - end} px from the right`);
});

behaviour('25. French has no English left', async ({ portal }) => {
  const { page } = await portal('?filter=action%3Arole.updated', { session: { locale: 'fr' }, browser: { locale: 'fr-FR' } });
  await rows(page).first().waitFor();
  await rows(page).first().click();
  await page.locator('recount-event-detail .diff').waitFor();
  const english = /\b(the|and|of|with|from|events?|filter|time|copy|close|keys|views|columns|loading|search|settings|state|add|success|denied|failed|last|days|today|yesterday|november|changes|where|actor|target)\b/i;
  const words = async () => {
    const texts = await page.evaluate(() => {
      const found = [];
      const walk = (root) => {
        for (const node of root.querySelectorAll('*')) {
          if (node.closest('bdi, code, pre, .mono, .words, style, option') || node.tagName === 'STYLE') continue;
          for (const name of ['aria-label', 'title', 'placeholder']) if (node.getAttribute(name) && !node.closest('.cell')) found.push(node.getAttribute(name));
          for (const child of node.childNodes) if (child.nodeType === 3 && child.data.trim() && !['STYLE', 'SCRIPT'].includes(node.tagName)) found.push(child.data.trim());
          if (node.shadowRoot) walk(node.shadowRoot);
        }
      };
      walk(document.body);
      return found;
    });
    return texts.filter((text) => english.test(text.replace(/Filtrer ou copier .*|Retirer le filtre .*|« .* »|action|source|[\w.]+\.[\w.]+|description|session/gi, '')));
  };
  assert.deepEqual(await words(), []);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
  await page.keyboard.press('Escape');
  for (const path of ['exports', 'streams', 'keys']) {
    await page.locator(`nav a[href$="/${path}"]`).click();
    await page.locator(`recount-${path} h1`).waitFor();
    await settled(page);
    assert.deepEqual(await words(), [], path);
  }
});

behaviour('with reduced motion nothing moves; without, live pulses', async ({ portal }) => {
  const { page } = await portal('', { browser: { reducedMotion: 'reduce' } });
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await eventually(() => page.locator('.live .dot').evaluate((dot) => getComputedStyle(dot).animationName), 'none');
});
