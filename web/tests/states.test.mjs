/** Behaviour 24: every state is its own, with a way on. */
import assert from 'node:assert/strict';
import { behaviour, eventually, lastRow, rows, view } from './support/world.mjs';

behaviour('24. nothing yet, no match, error, partial, loading and offline are told apart', async ({ log, portal, server }) => {
  // Opening the page is in the log already; still nothing was sent.
  const empty = await portal('', { tenant: 'empty' });
  await empty.page.getByRole('heading', { name: 'No events yet' }).waitFor();
  assert.equal(await empty.page.locator('recount-status-line').count(), 0, 'no count beside it that says otherwise');
  await empty.page.getByRole('button', { name: 'Show what this portal recorded' }).click();
  await rows(empty.page).first().waitFor();
  assert.equal(view(empty.page).get('filter'), 'source:recount');
  await empty.page.getByRole('button', { name: 'Clear' }).click();
  await empty.page.getByRole('heading', { name: 'No events yet' }).waitFor();
  await empty.page.locator('recount-no-match').getByRole('button', { name: 'Live' }).click();
  await empty.page.locator('.live.on').waitFor();
  await empty.page.getByRole('heading', { name: 'No events yet' }).waitFor();
  const first = `first-${Date.now()}`;
  await server.must('POST', '/v1/tenants', { id: first }).catch(() => {});
  const starting = await portal('', { tenant: first });
  await starting.page.getByRole('heading', { name: 'No events yet' }).waitFor();
  await starting.page.locator('recount-no-match').getByRole('button', { name: 'Live' }).click();
  await starting.page.locator('.live.on').waitFor();
  await server.append([{ tenant: first, occurred_at: new Date().toISOString(), action: 'test.first', actor: { type: 'user', id: 'u_1' } }]);
  await rows(starting.page).filter({ hasText: 'test.first' }).waitFor();

  const { page, context } = await log('?filter=action%3Arole.updated&time=7d');
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('actor:nobody');
  await input.press('Enter');
  await page.getByRole('heading', { name: 'No events match' }).waitFor();
  const drop = page.locator('recount-no-match').getByRole('button', { name: /actor:nobody/ });
  await drop.waitFor();
  assert.match(await drop.innerText(), /\d+ events/);
  await drop.click();
  await rows(page).first().waitFor();
  assert.equal(view(page).get('filter'), 'action:role.updated');

  let failing = true;
  await page.route('**/v1/events?**', (route) => (failing
    ? route.fulfill({ status: 500, contentType: 'application/problem+json', headers: { 'x-request-id': 'req-4711' }, body: JSON.stringify({ title: 'Stored data is damaged', detail: 'segment 7 is damaged', code: 'data_damaged' }) })
    : route.continue()));
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('heading', { name: 'This could not be loaded' }).waitFor();
  assert.match(await page.getByRole('alert').innerText(), /segment 7 is damaged[^]*req-4711/);
  failing = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await rows(page).first().waitFor();

  await page.route('**/v1/events/histogram**', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), exact: false, covered_from: '2026-11-20T00:00:00Z' } });
  });
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByText(/Counts cover events since/).waitFor();
  assert.match(await page.locator('recount-status-line p').innerText(), /about/);
  await page.unroute('**/v1/events/histogram**');

  await page.unroute('**/v1/events?**');
  let release;
  const gate = new Promise((done) => (release = done));
  await page.route('**/v1/events?**', async (route) => { await gate; await route.continue(); });
  const delay = await page.evaluate(() => new Promise((done) => {
    const root = document.querySelector('recount-portal').shadowRoot.querySelector('recount-log').shadowRoot;
    const start = performance.now();
    root.querySelector('recount-status-line').shadowRoot.querySelector('[title=Reload]').click();
    const look = () => (root.querySelector('.skeleton') ? done(performance.now() - start) : setTimeout(look, 5));
    look();
  }));
  assert.ok(delay >= 145, `the skeleton came after ${delay} ms`);
  release();
  await rows(page).first().waitFor();
  await page.unroute('**/v1/events?**');

  await context.setOffline(true);
  await page.getByText('You are offline. This is what was loaded before.').waitFor();
  assert.ok((await rows(page).count()) > 0);
  await input.fill('actor:user/u_1');
  await input.press('Enter');
  await page.getByRole('heading', { name: 'The server can’t be reached' }).waitFor();
  await context.setOffline(false);
  await rows(page).first().waitFor();
  await eventually(() => page.getByText('You are offline').count(), 0);
});

behaviour('24. a page that fails half way keeps its rows and tries again', async ({ log }) => {
  const { page } = await log('?time=all');
  let failing = true;
  await page.route('**/v1/events?**cursor=**', (route) => (failing
    ? route.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'x-request-id': 'req-0815' }, body: '{"title":"Temporarily unavailable","code":"unavailable"}' }) : route.continue()));
  await page.getByRole('button', { name: 'Reload' }).click();
  await rows(page).first().waitFor();
  await page.locator('recount-event-table .scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await page.getByText('More rows could not be loaded.').waitFor();
  assert.ok((await rows(page).count()) > 0);
  failing = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await eventually(async () => {
    await page.locator('recount-event-table .scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    return lastRow(page);
  }, (row) => row > 300);
});
