/** Behaviours 16 to 19: live, export, saved views. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { behaviour, column, eventually, rows, view } from './support/world.mjs';

const fresh = (name, seconds = 0) => ({ tenant: 'northwind', occurred_at: new Date(Date.now() - seconds * 1000).toISOString(), action: 'test.arrived', actor: { type: 'user', id: 'live', name } });

behaviour('16. live shows new rows within two seconds, waits while one reads, and resumes without gap or double', async ({ log, server }) => {
  const { page, context } = await log('?time=24h');
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await server.append([fresh('First')]);
  const start = Date.now();
  await eventually(() => column(page, 'actor').then((all) => all.some((text) => /First/.test(text))), true, 4000);
  assert.ok(Date.now() - start < 2000, `${Date.now() - start} ms`);
  const scroller = page.locator('recount-event-table .scroller');
  await scroller.evaluate((element) => element.scrollTo(0, 1500));
  await page.waitForTimeout(200);
  const before = await rows(page).first().innerText();
  await server.append([fresh('Second'), fresh('Third')]);
  const pill = page.getByRole('button', { name: '2 new' });
  await pill.waitFor();
  assert.equal(await rows(page).first().innerText(), before);
  await pill.click();
  await eventually(() => column(page, 'actor').then((all) => all.filter((text) => /Second|Third/.test(text)).length), 2);
  await context.setOffline(true);
  await server.append([fresh('While away 1'), fresh('While away 2')]);
  await page.waitForTimeout(300);
  await context.setOffline(false);
  await server.append([fresh('Back')]);
  await eventually(() => column(page, 'actor').then((all) => all.filter((text) => /While away|Back/.test(text)).length), 3, 20_000);
  const live = (await column(page, 'actor')).filter((text) => /First|Second|Third|While|Back/.test(text));
  assert.equal(new Set(live).size, live.length, 'nothing twice');
});

async function exported(page, format) {
  await page.getByRole('button', { name: 'Export', exact: true }).first().click();
  const dialog = page.locator('recount-export-dialog dialog');
  await dialog.getByRole('radio', { name: new RegExp(`^${format}\\b`) }).first().check();
  const text = await dialog.innerText();
  const [file] = await Promise.all([page.waitForEvent('download', { timeout: 40_000 }), dialog.getByRole('button', { name: 'Export' }).click()]);
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
}, { timeout: 120_000 });

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
