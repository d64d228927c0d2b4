/** Behaviours 6 to 11: zone, histogram, counts, the list and its keys. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { behaviour, column, EVENTS, eventually, rows, view, world } from './support/world.mjs';

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
  await eventually(() => page.locator('recount-status-line strong').innerText(), (text) => /\d/.test(text));
  await page.locator('recount-time-field button').first().click();
  await page.locator('#typed').fill('24h');
  await page.locator('#typed').press('Enter');
  await page.locator('recount-histogram .plot-box:not(.loading)').waitFor();
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const dialog = page.locator('recount-export-dialog dialog');
  assert.equal(await dialog.locator('dl > div', { hasText: 'Time zone' }).locator('dd').innerText(), 'Australia/Adelaide');
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Export' }).click()]);
  const lines = readFileSync(await file.path(), 'utf8').trimEnd().split('\r\n').slice(1);
  assert.ok(lines.length > 5);
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+10:30,/);
});

behaviour('6. days are counted and named by the clocks of the zone, and the axis is marked at their midnights', async ({ log }) => {
  const zone = 'America/Los_Angeles';
  const { page } = await log(`?zone=${zone}&time=90d&filter=action%3Arole.updated`);
  const table = () => page.locator('recount-histogram tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const days = await eventually(table, (all) => all.length > 60);
  const date = new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'short' });
  const expected = new Map();
  for (const { action, occurred_at } of world.events) {
    if (action !== 'role.updated') continue;
    const day = date.format(new Date(occurred_at));
    expected.set(day, (expected.get(day) ?? 0) + 1);
  }
  // The first day begins before the range does, and today may still grow.
  for (const [day, count] of days.slice(1, -1)) assert.equal(Number(count), expected.get(day), day);

  const { page: week } = await log(`?zone=${zone}&time=7d`);
  const marks = await eventually(() => week.locator('recount-histogram .axis time').evaluateAll((all) => all.map((mark) => [mark.dateTime, mark.textContent, mark.getBoundingClientRect().x])), (all) => all.length > 5);
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
  for (const [at, label] of marks) assert.match(clock.format(new Date(at)), /12:00$/.test(label) ? /^12:00:00/ : /^00:00:00/, label);
  assert.ok(marks.some(([, label]) => /^\w{3},? \d+ \w{3}/.test(label)), marks.map(([, label]) => label).join());
  const plot = await week.locator('recount-histogram svg.plot').boundingBox();
  const bars = await week.locator('recount-histogram rect.bar').evaluateAll((all) => all.map((bar) => Number(bar.getAttribute('x'))));
  for (const [, label, x] of marks) assert.ok(bars.some((bar) => Math.abs(bar + plot.x - x) < 2.5), `${label} stands where a bar starts`);
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
  const out = page.getByRole('button', { name: /Zoom out/ });
  assert.match(await out.innerText(), /Last 30 days/, 'what it goes back to');
  await out.click();
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
  const top = await rows(page).evaluateAll((all) => all.slice(0, 5).map((row) => row.innerText));
  // To the end of what is there, again and again; the most nodes that there ever were come back.
  const most = await scroller.evaluate(async (element, reach) => {
    const table = element.getRootNode();
    let nodes = 0;
    for (let row = 0; row < reach;) {
      element.scrollTo(0, element.scrollHeight);
      await new Promise(requestAnimationFrame);
      const all = [...table.querySelectorAll('[data-row]')];
      nodes = Math.max(nodes, table.querySelectorAll('[role=row]').length);
      row = Math.max(...all.map(({ dataset }) => Number(dataset.row)));
    }
    return nodes;
  }, EVENTS * 0.6);
  assert.ok(most < 60, `${most} rows in the document`);
  // Rows far from the reader were let go, and come back as they were.
  await scroller.evaluate((element) => element.scrollTo(0, 0));
  await eventually(() => rows(page).evaluateAll((all) => all.sort((a, b) => a.dataset.row - b.dataset.row).slice(0, 5).map((row) => row.innerText)), top);
  await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  const times = await eventually(() => page.locator('[data-row]:not([data-row="0"]) time').evaluateAll((all) => all.map((time) => time.dateTime)), (all) => all.length > 10);
  assert.deepEqual(times, [...times].sort().reverse(), 'newest first');
  assert.ok((await rows(page).count()) < 60);
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await rows(page).first().waitFor();
  await scroller.evaluate((element) => element.scrollTo(0, 3600));
  await page.locator('[data-row="99"]').waitFor();
  const inView = () => scroller.evaluate((element) => [...element.getRootNode().querySelectorAll('[data-row] time')]
    .filter((time) => time.getBoundingClientRect().y > element.getBoundingClientRect().y + 60).map((time) => [time.dateTime, Math.round(time.getBoundingClientRect().y)]).sort());
  const before = await eventually(inView, (all) => all.length > 10);
  await server.append([{ tenant: 'northwind', occurred_at: new Date().toISOString(), action: 'document.viewed', actor: { type: 'user', id: 'u_1' } }]);
  await page.getByRole('button', { name: /\d new/ }).waitFor();
  assert.deepEqual(await inView(), before);
}, { timeout: 240_000 });

behaviour('10. the heading of the day in view stays at the top, thin, and rows are where they should be', async ({ log }) => {
  const { page } = await log('?filter=action%3Aproject.deleted&time=all');
  const scroller = page.locator('recount-event-table .scroller');
  const pinned = page.locator('recount-event-table .pinned');
  const names = new Set();
  for (let y = 0; names.size < 4 && y < 60_000; y += 377) {
    await scroller.evaluate((element, top) => element.scrollTo(0, top), y);
    await eventually(() => page.evaluate(() => {
      const root = document.querySelector('recount-portal').shadowRoot.querySelector('recount-log').shadowRoot.querySelector('recount-event-table').shadowRoot;
      const at = (element) => element.getBoundingClientRect();
      const frame = at(root.querySelector('.scroller'));
      const heading = root.querySelector('.pinned');
      const edge = at(heading).bottom;
      const all = [...root.querySelectorAll('[data-row]')].filter((row) => at(row).bottom > frame.top && at(row).top < frame.bottom).sort((a, b) => at(a).top - at(b).top);
      const below = all.find((row) => at(row).bottom > edge + 1);
      const days = [...root.querySelectorAll('.day:not(.pinned)')].map((day) => [at(day).top, day.textContent.trim()]);
      return {
        heading: heading.textContent.trim(), height: at(heading).height, top: at(heading).top - frame.top,
        day: below && new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'Europe/Paris' }).format(new Date(below.querySelector('time').dateTime)),
        next: days.filter(([top]) => top > edge - 1).sort((a, b) => a[0] - b[0])[0]?.[0], row: below && at(below).top,
        steps: all.slice(1).map((row, i) => at(row).top - at(all[i]).bottom),
      };
    }), ({ height, top, next, row, heading, day, steps }) => height === 26 && top <= 32.5 && top > 5
      && (row >= next || heading.endsWith(day)) && steps.every((step) => Math.abs(step) < 0.6 || Math.abs(step - 26) < 0.6));
    names.add(await pinned.innerText());
  }
  assert.equal(names.size, 4, [...names].join());
});

behaviour('10. a list that is moved in its page goes on filling its place', async ({ log }) => {
  const { page } = await log('', { browser: { viewport: { width: 1440, height: 500 } } });
  const few = await rows(page).count();
  await page.evaluate(() => {
    const list = document.querySelector('recount-portal').shadowRoot.querySelector('recount-log');
    const parent = list.parentNode;
    const place = list.nextSibling;
    list.remove();
    parent.insertBefore(list, place);
  });
  await page.setViewportSize({ width: 1440, height: 1200 });
  await eventually(() => rows(page).count(), (count) => count > few + 10);
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

behaviour('11. single keys can be switched off, and stay so', async ({ log }) => {
  const { page } = await log();
  await page.keyboard.press('?');
  await page.getByRole('checkbox', { name: /Single-key shortcuts/ }).uncheck();
  await page.keyboard.press('Escape');
  const silent = async () => {
    for (const key of ['z', 'l', 'v', '/', '?']) await page.keyboard.press(key);
    assert.equal(view(page).get('zone'), null);
    assert.equal(await page.locator('.live.on, dialog[open], :popover-open').count(), 0);
  };
  await silent();
  await page.reload();
  await rows(page).first().waitFor();
  await page.locator('recount-status-line strong').waitFor();
  await silent();
  await rows(page).nth(1).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('recount-event-detail h2').waitFor();
  await page.keyboard.press('Escape');
  await eventually(() => page.locator('recount-event-detail').count(), 0);
  await page.getByRole('button', { name: 'Keyboard' }).click();
  await page.getByRole('checkbox', { name: /Single-key shortcuts/ }).check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('z');
  await eventually(() => view(page).get('zone'), 'UTC');
});
