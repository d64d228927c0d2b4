/** Behaviours 16 to 19: live, export, saved views. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { startWire } from './support/wire.mjs';
import { behaviour, column, eventually, rows, settled, view } from './support/world.mjs';

const fresh = (name, seconds = 0) => ({ tenant: 'northwind', occurred_at: new Date(Date.now() - seconds * 1000).toISOString(), action: 'test.arrived', actor: { type: 'user', id: 'live', name } });

behaviour('16. live shows new rows as they come, waits while one reads, and resumes without gap or double', async ({ page: open, server }) => {
  const { page } = await open();
  const wire = await startWire(Number(new URL(server.url).port));
  const { hash } = new URL((await server.session('northwind')).url);
  await page.goto(`${wire.origin}/portal?time=24h${hash}`);
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await server.append([fresh('First')]);
  await eventually(() => column(page, 'actor').then((all) => all.some((text) => /First/.test(text))), true);
  const scroller = page.locator('recount-event-table .scroller');
  await scroller.evaluate((element) => element.scrollTo(0, 1500));
  await page.locator('[data-row="41"]').waitFor();
  const before = await rows(page).first().innerText();
  await server.append([fresh('Second'), fresh('Third')]);
  const pill = page.getByRole('button', { name: '2 new' });
  await pill.waitFor();
  assert.equal(await rows(page).first().innerText(), before);
  await pill.click();
  await eventually(() => column(page, 'actor').then((all) => all.filter((text) => /Second|Third/.test(text)).length), 2);
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/events/tail')) asked.push(request.headers()['last-event-id']); });
  wire.cut();
  await page.locator('.live.lost').waitFor();
  const { data: [last] } = await server.must('GET', '/v1/events?tenant=northwind&limit=1&filter=actor:user/live');
  await server.append([fresh('While away 1'), fresh('While away 2')]);
  await wire.mend();
  await page.locator('.live.on').waitFor();
  await server.append([fresh('Back')]);
  await eventually(() => column(page, 'actor').then((all) => all.filter((text) => /While away|Back/.test(text)).length), 3);
  assert.ok(Number(asked.at(-1)) >= last.seq, `resumed after ${asked.at(-1)}, the last seen was ${last.seq}`);
  const live = (await column(page, 'actor')).filter((text) => /First|Second|Third|While|Back/.test(text));
  assert.deepEqual(live.map((text) => text.replace(/^\S{1,2}\s+/, '').trim()).sort(), ['Back', 'First', 'Second', 'Third', 'While away 1', 'While away 2'], 'nothing missing, nothing twice');
  wire.cut();
});

behaviour('16. live ends with its range, and in an order that new rows have no place in', async ({ log, server }) => {
  const { page } = await log('?time=24h');
  const tails = new Set();
  page.on('request', (request) => request.url().includes('/events/tail') && tails.add(request));
  for (const ended of ['requestfinished', 'requestfailed']) page.on(ended, (request) => tails.delete(request));
  const live = page.getByRole('button', { name: 'Live' });
  const on = async () => {
    await live.click();
    await page.locator('.live.on').waitFor();
  };
  await on();
  await page.locator('recount-time-field button').first().click();
  await page.getByRole('button', { name: 'Yesterday' }).click();
  await eventually(() => live.getAttribute('aria-pressed'), 'false');
  // Nothing follows the log any more, and what is asked for now has its answer.
  await eventually(() => tails.size, 0);
  await settled(page);
  const before = await column(page, 'action');
  await server.append([fresh('Intruder')]);
  await settled(page);
  assert.deepEqual(await column(page, 'action'), before);
  // Live leaves such a range, and ends when the order is turned.
  await on();
  assert.equal(view(page).get('time'), null);
  await page.getByRole('button', { name: /^Time/ }).click();
  await eventually(() => view(page).get('order'), 'asc');
  await eventually(() => live.getAttribute('aria-pressed'), 'false');
});

behaviour('16. what arrives late stands where it belongs, under one heading a day', async ({ log, server }) => {
  const tenant = 'late';
  const at = (minutes, name) => ({ tenant, occurred_at: new Date(Date.now() - minutes * 60_000).toISOString(), action: 'test.arrived', actor: { type: 'user', id: 'late', name } });
  const DAY = 24 * 60;
  await server.append([at(10, 'Ten'), at(30, 'Thirty'), at(2 * DAY, 'Two days'), at(4 * DAY, 'Four days')]);
  const { page } = await log('?filter=action%3Atest.arrived&time=7d', { tenant });
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await server.append([at(0, 'Now'), at(20, 'Twenty'), at(3 * DAY, 'Three days'), at(6 * DAY, 'Six days')]);
  const names = () => column(page, 'actor').then((all) => all.map((text) => text.replace(/^\S{1,2}\s+/, '').trim()));
  await eventually(names, ['Now', 'Ten', 'Twenty', 'Thirty', 'Two days', 'Three days', 'Four days', 'Six days']);
  const days = await page.locator('recount-event-table .day:not(.pinned)').allInnerTexts();
  assert.equal(new Set(days).size, days.length, days.join(' | '));
  await eventually(() => page.locator('recount-status-line strong').innerText(), '8');
});

// An event may come before the count is made and be seen after it, or the other way round; it counts once.
for (const [when, asked, held] of [
  ['after it was made and before the list was read', '**/v1/events?**', 'question'],
  ['after it was made and before it was there', '**/v1/events/histogram**', 'answer'],
  ['before it was made and are shown already', '**/v1/events/histogram**', 'question'],
]) {
  behaviour(`16. the count holds rows that came ${when}`, async ({ log, server }) => {
    const tenant = `counted-${held}-${asked.length}`;
    const event = () => ({ tenant, occurred_at: new Date().toISOString(), action: 'test.counted', actor: { type: 'user', id: 'u' } });
    await server.append([event(), event()]);
    const { page } = await log('?filter=action%3Atest.counted&time=24h', { tenant });
    const count = page.locator('recount-status-line strong');
    await eventually(() => count.innerText(), '2');
    let waiting = 0;
    let release;
    const gate = new Promise((done) => (release = done));
    let counted = 0;
    page.on('requestfinished', (request) => (counted += request.url().includes('/v1/events/histogram') ? 1 : 0));
    await page.route(asked, async (route) => {
      const answer = held === 'answer' ? await route.fetch() : undefined;
      waiting++;
      await gate;
      await (answer ? route.fulfill({ response: answer }) : route.continue());
    });
    const tail = page.waitForResponse('**/v1/events/tail**');
    await page.getByRole('button', { name: 'Live' }).click();
    await tail;
    const listHeld = asked === '**/v1/events?**';
    // The counts are two questions, with the filter and without.
    await eventually(() => waiting, listHeld ? 1 : 2);
    if (listHeld) await eventually(() => counted, 2);
    await server.append([event()]);
    if (!listHeld) await eventually(() => rows(page).count(), 3);
    release();
    await eventually(() => rows(page).count(), 3);
    await settled(page);
    await eventually(() => count.innerText(), '3');
    // What was counted twice would show with the next one.
    await server.append([event()]);
    await eventually(() => rows(page).count(), 4);
    await settled(page);
    await eventually(() => count.innerText(), '4');
  });
}

behaviour('16. more than can wait is read afresh, without a gap', async ({ log, server }) => {
  const tenant = 'flood';
  const flood = (count, name) => Array.from({ length: count }, (_, i) => ({ tenant, occurred_at: new Date(Date.now() - (count - i)).toISOString(), action: 'test.flood', actor: { type: 'user', id: `${name}-${i}` } }));
  await server.append(flood(300, 'old'));
  const { page } = await log('?filter=action%3Atest.flood&time=24h', { tenant });
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await page.locator('recount-event-table .scroller').evaluate((element) => element.scrollTo(0, 2000));
  await server.append(flood(5300, 'new'));
  const pill = page.locator('.pill');
  await eventually(() => pill.innerText().catch(() => ''), (text) => /5,300/.test(text));
  await pill.click();
  await eventually(() => page.locator('recount-status-line strong').innerText(), '5,600');
  // Every row to the end, each once, in order: what was pushed out of the waiting room is there too.
  const seen = await page.locator('recount-event-table .scroller').evaluate(async (element) => {
    const found = new Map();
    const table = element.getRootNode();
    const atEnd = () => element.scrollTop + element.clientHeight >= element.scrollHeight - 1;
    for (;;) {
      await new Promise(requestAnimationFrame);
      if (table.querySelector('.blank')) continue; // on its way
      for (const row of table.querySelectorAll('[data-row]')) found.set(Number(row.dataset.row), row.querySelector('.cell.actor').innerText.trim());
      if (atEnd() && /The end/.test(table.querySelector('slot').assignedElements()[0].innerText)) break;
      element.scrollBy(0, 400);
    }
    return [...found.values()];
  });
  assert.equal(seen.length, 5600);
  assert.equal(new Set(seen.map((text) => text.split(/\s/).at(-1))).size, 5600);
}, { timeout: 300_000 });

async function exported(page, format) {
  await page.getByRole('button', { name: 'Export', exact: true }).first().click();
  const dialog = page.locator('recount-export-dialog dialog');
  await dialog.getByRole('radio', { name: new RegExp(`^${format}\\b`) }).first().check();
  const text = await dialog.innerText();
  const [file] = await Promise.all([page.waitForEvent('download', { timeout: 90_000 }), dialog.getByRole('button', { name: 'Export' }).click()]);
  const bytes = readFileSync(await file.path());
  await dialog.getByRole('button', { name: 'Close' }).click();
  return { text, bytes, name: file.suggestedFilename() };
}

behaviour('17. an export says what it holds and equals the view, at once or as a job', async ({ log, server }) => {
  const filter = 'action:project.deleted';
  const { page } = await log(`?filter=${encodeURIComponent(filter)}&zone=UTC&time=7d`);
  const total = Number((await eventually(() => page.locator('recount-status-line strong').innerText(), (text) => /\d/.test(text))).replace(/\D/g, ''));
  assert.ok(total > 10 && total <= 10_000);
  const csv = await exported(page, 'CSV');
  assert.match(csv.text, /action:project\.deleted/);
  assert.match(csv.text, /UTC/);
  assert.match(csv.name, /\.csv$/);
  const lines = csv.bytes.toString().trimEnd().split('\r\n');
  assert.equal(lines.length, total + 1);
  const shown = (await column(page, 'time')).slice(0, 20);
  lines.slice(1, 21).forEach((line, at) => assert.ok(line.includes(shown[at]), `${line} is row ${at}: ${shown[at]}`));
  const json = await exported(page, 'JSONL');
  const events = json.bytes.toString().trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events.length, total);
  const listed = await server.must('GET', `/v1/events?tenant=northwind&limit=1000&filter=${encodeURIComponent(filter)}`);
  assert.deepEqual(events.map(({ id }) => id), listed.data.slice(0, total).map(({ id }) => id));
  const zipped = await exported(page, 'JSONL\\.gz');
  assert.equal(gunzipSync(zipped.bytes).toString(), json.bytes.toString());

  const large = await log('?time=all');
  await eventually(() => large.page.locator('recount-status-line strong').innerText(), (text) => /\d/.test(text));
  const job = await exported(large.page, 'JSONL');
  assert.match(job.text, /prepared on the server/);
  assert.ok(job.bytes.toString().trim().split('\n').length >= 10_000);
  await large.page.getByRole('link', { name: 'Exports' }).click();
  await large.page.getByRole('cell', { name: 'Ready' }).first().waitFor();
}, { timeout: 300_000 });

behaviour('18. a CSV cell that spreadsheets would run is neutralised; JSON stays as it was', async ({ log }) => {
  const { page } = await log('', { tenant: 'hostile' });
  await page.locator('recount-status-line strong').waitFor();
  const csv = (await exported(page, 'CSV')).bytes.toString();
  assert.match(csv, /'=1\+1/);
  assert.match(csv, /'-2\+3/);
  assert.doesNotMatch(csv, /(^|,)"?[=+\-@]/m);
  const json = (await exported(page, 'JSONL')).bytes.toString();
  assert.match(json, /"name":"=1\+1"/);
});

behaviour('19. views are saved private or shared, tell when they were changed, and one can be the start', async ({ log, portal }) => {
  const someone = { session: { actor: { type: 'user', id: `saver-${Date.now()}`, name: 'Saver' } } };
  const { page } = await log('?filter=outcome%3Adenied', someone);
  const save = async (name, shared, start) => {
    await page.keyboard.press('v');
    await page.getByRole('button', { name: 'Save this view…' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    if (shared) await page.getByRole('checkbox', { name: /Share with everyone/ }).check();
    if (start) await page.getByRole('checkbox', { name: 'Start with this view' }).check();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await eventually(() => page.locator('recount-saved-views > button, recount-saved-views .btn').first().innerText(), (text) => text.includes(name));
  };
  await save('Denied only', true, true);
  const privately = `Private ${Date.now()}`;
  await save(privately, false, false);
  await page.locator('.chip .op').first().click();
  await page.locator('recount-saved-views .dirty').waitFor();
  const again = await portal('', someone);
  await eventually(() => view(again.page).get('filter'), 'outcome:denied');
  const other = await log('', { session: { actor: { type: 'user', id: 'someone-else' } } });
  await other.page.keyboard.press('v');
  await other.page.getByRole('button', { name: 'Denied only' }).first().waitFor();
  assert.equal(await other.page.getByRole('button', { name: privately }).count(), 0);
  await other.page.getByRole('button', { name: 'Denied only', exact: true }).first().click();
  await eventually(() => view(other.page).get('filter'), 'outcome:denied');
});
