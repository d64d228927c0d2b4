/** Behaviours 6 to 11: zone, histogram, counts, the list and its keys. */
import assert from 'node:assert/strict';
import { behaviour, column, EVENTS, eventually, lastRow, rows, view, world } from './support/world.mjs';

behaviour('6. the zone changes rows, axis, head and export; a time tells its instant on hover', async ({ log }) => {
  const { page } = await log();
  const local = await column(page, 'time');
  const head = () => page.locator('recount-event-table [role=columnheader]').first().innerText();
  const axis = () => page.locator('recount-histogram .axis').innerText();
  assert.match(await head(), /CET|GMT\+1/);
  await page.keyboard.press('z');
  await eventually(() => view(page).get('zone'), 'UTC');
  await rows(page).first().waitFor();
  const utc = await eventually(() => column(page, 'time'), (all) => all.length > 0 && all[0] !== local[0]);
  assert.match(await head(), /UTC/);
  assert.equal(utc[0].slice(2), local[0].slice(2), 'only the hour differs');
  assert.match(await rows(page).first().locator('.cell.time').getAttribute('title'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  await page.locator('recount-time-field button').first().click();
  await page.getByRole('combobox', { name: 'Time zone' }).selectOption('Australia/Adelaide');
  await eventually(() => view(page).get('zone'), 'Australia/Adelaide');
  await page.keyboard.press('Escape');
  await rows(page).first().waitFor();
  assert.match(await eventually(() => rows(page).first().locator('.cell.time').getAttribute('title'), (text) => /\+10:30$/.test(text)), /\+10:30$/);
  await eventually(axis, (text) => text.length > 5);
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  assert.match(await page.locator('recount-export-dialog dialog').innerText(), /Australia\/Adelaide|UTC/);
});

behaviour('7. brushing the histogram zooms; Escape and “Zoom out” go back; keys do the same; a table says it in text', async ({ log }) => {
  const { page } = await log();
  const plot = page.locator('recount-histogram .plot-box');
  await page.locator('recount-histogram rect.bar').first().waitFor();
  const box = await page.locator('recount-histogram svg.plot').boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 5 });
  await page.mouse.up();
  const zoomed = await eventually(() => view(page).get('time'), (text) => /Z\.\./.test(text ?? ''));
  const [from, to] = zoomed.split('..').map(Date.parse);
  assert.ok(to - from > 4 * 86_400_000 && to - from < 9 * 86_400_000, `${zoomed} is about a fifth of 30 days`);
  await page.getByRole('button', { name: /Zoom out/ }).click();
  await eventually(() => view(page).get('time'), null);
  await page.locator('recount-histogram rect.bar').first().waitFor();
  await plot.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await eventually(() => view(page).get('time'), (text) => /Z\.\./.test(text ?? ''));
  await plot.focus();
  await page.keyboard.press('Escape');
  await eventually(() => view(page).get('time'), null);
  assert.ok((await page.locator('recount-histogram table tbody tr').count()) > 20);
});

behaviour('8. denied and failed events stand out in the bars and are said in words', async ({ log }) => {
  const { page } = await log('?time=7d');
  await page.locator('recount-histogram rect.bad').first().waitFor();
  const [bar, bad] = await page.evaluate(() => {
    const root = document.querySelector('recount-portal').shadowRoot.querySelector('recount-log').shadowRoot.querySelector('recount-histogram').shadowRoot;
    return ['rect.bar', 'rect.bad'].map((name) => getComputedStyle(root.querySelector(name)).fill);
  });
  assert.notEqual(bar, bad);
  assert.match(await page.locator('recount-histogram .plot-box').getAttribute('aria-label'), /\d+ events.*\d+ denied/);
});

behaviour('9. the counts say how many match of how many', async ({ log, server }) => {
  const all = await server.must('GET', '/v1/events/histogram?tenant=northwind');
  assert.ok(all.total >= EVENTS);
  const { page } = await log('?time=all&filter=outcome%3Adenied');
  const denied = world.events.filter(({ outcome }) => outcome === 'denied').length;
  const text = await eventually(() => page.locator('recount-status-line p').innerText(), (text) => /match/.test(text));
  const [, matching, total] = /^(\d+)eventsmatchof(\d+)inrange/.exec(text.replace(/[\s,]/g, ''));
  assert.equal(Number(matching), denied);
  assert.ok(Number(total) >= all.total && Number(total) < all.total + 20, 'only sessions were opened meanwhile');
});

behaviour('10. the list scrolls over all rows with few nodes, and stays in place when rows arrive', async ({ log, server }) => {
  const { page } = await log('?time=all');
  const scroller = page.locator('recount-event-table .scroller');
  const seen = new Set();
  for (let i = 0; i < 40; i++) {
    await scroller.evaluate((element) => element.scrollBy(0, 6000));
    await page.waitForTimeout(30);
    assert.ok((await rows(page).count()) < 60, 'fewer than 60 rows in the document');
    for (const id of await rows(page).evaluateAll((all) => all.map((row) => row.dataset.row))) seen.add(id);
  }
  await eventually(() => rows(page).first().locator('.cell.time').innerText().catch(() => ''), (text) => text.length > 5);
  assert.ok(seen.size > 300, `${seen.size} different rows were shown`);
  const reach = EVENTS > 20_000 ? 5000 : EVENTS / 4;
  await eventually(async () => {
    await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    return lastRow(page);
  }, (row) => row > reach, 20_000);
  const before = await rows(page).first().innerText();
  await server.append([{ tenant: 'northwind', occurred_at: new Date().toISOString(), action: 'document.viewed', actor: { type: 'user', id: 'u_1' } }]);
  await page.waitForTimeout(500);
  assert.equal(await rows(page).first().innerText(), before);
});

behaviour('11. the keyboard does everything in the list, focus included', async ({ log }) => {
  const { page } = await log();
  const active = () => page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.dataset?.row ?? at?.localName;
  });
  await page.keyboard.press('j');
  assert.equal(await active(), '1');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  assert.equal(await active(), '2');
  assert.deepEqual(await rows(page).evaluateAll((all) => all.filter((row) => row.tabIndex === 0).map((row) => row.dataset.row)), ['2']);
  await page.keyboard.press('Enter');
  await page.locator('recount-event-detail h2').waitFor();
  await eventually(active, 'h2');
  await page.keyboard.press('Escape');
  await eventually(() => page.locator('recount-event-detail').count(), 0);
  await eventually(active, '2');
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await eventually(active, (row) => Number(row) >= 90);
});
