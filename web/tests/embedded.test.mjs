/** The core behaviours cross-origin, in a host page with a strict policy and Trusted Types; behaviour 23. */
import assert from 'node:assert/strict';
import { embedding, startHost } from './support/hosts.mjs';
import { behaviour, column, eventually, rows, world } from './support/world.mjs';

async function embedded(page, options = {}, session = {}) {
  let token = '';
  const pages = embedding(world.server.url, options);
  const host = await startHost((path) => (path === '/session' ? { type: 'text/plain', body: token } : pages[path]));
  token = (await world.server.session('northwind', { origins: [host.origin], ...session })).token;
  await page.goto(`${host.origin}/`);
  return { ...host, setToken: (next) => (token = next) };
}

behaviour('embedded: the log works in a host page with a strict policy and Trusted Types, and keeps its view in the fragment', async ({ page: open }) => {
  const { page } = await open();
  const host = await embedded(page, { module: 'recount-log.js' });
  await rows(page).first().waitFor();
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('action:role.updated');
  await input.press('Enter');
  await eventually(() => column(page, 'action').then((all) => all.length > 0 && all.every((text) => text === 'role.updated')), true);
  assert.equal(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('filter'), 'action:role.updated');
  await rows(page).first().click();
  await page.locator('recount-event-detail .diff').waitFor();
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.locator('recount-histogram .plot-box:not(.loading)').waitFor();
  const box = await page.locator('recount-histogram svg.plot').boundingBox();
  await page.mouse.move(box.x + 100, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 20);
  await page.mouse.up();
  await page.getByRole('button', { name: /Zoom out/ }).waitFor();
  await page.goBack();
  await eventually(() => page.getByRole('button', { name: /Zoom out/ }).count(), 0);
  assert.ok(await rows(page).first().evaluate((row) => getComputedStyle(row).transform !== 'none'), 'rows are placed');
  assert.match(await rows(page).first().evaluate((row) => getComputedStyle(row).fontFamily), /Georgia/, 'the host’s font');
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  await host.stop();
});

behaviour('embedded: live follows cross-origin with the token in a header', async ({ page: open, server }) => {
  const { page } = await open();
  const addresses = [];
  page.on('request', (request) => addresses.push(request.url()));
  const host = await embedded(page);
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  await server.append([{ tenant: 'northwind', occurred_at: new Date().toISOString(), action: 'test.embedded', actor: { type: 'user', id: 'e', name: 'Embedded' } }]);
  await eventually(() => column(page, 'action').then((all) => all.includes('test.embedded')), true, 5000);
  assert.ok(addresses.every((address) => !/rk_|token/.test(address)), 'no token in an address');
  await host.stop();
});

behaviour('embedded: the whole portal, with its pages in the fragment', async ({ page: open }) => {
  const { page } = await open();
  const host = await embedded(page, { element: 'recount-portal' });
  await rows(page).first().waitFor();
  for (const name of ['Exports', 'API keys', 'Streams']) {
    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1 }).filter({ hasText: name }).waitFor();
  }
  assert.match(page.url(), /#page=streams$/);
  await page.goBack();
  await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  await host.stop();
});

behaviour('23. an ended token is renewed unseen; if that fails, the view is kept and the session can be reloaded', async ({ page: open, server }) => {
  const { page } = await open();
  const host = await embedded(page, {}, { ttl_seconds: 3600 });
  await rows(page).first().waitFor();
  const first = await page.evaluate(() => window.fetched);
  const next = await server.session('northwind', { origins: [host.origin] });
  host.setToken(next.token);
  let refusals = 1;
  await page.route('**/v1/events?**', async (route) => {
    if (!refusals--) await page.unroute('**/v1/events?**');
    if (refusals < 0) return route.fallback();
    await route.fulfill({ status: 401, contentType: 'application/problem+json', headers: { 'access-control-allow-origin': '*' }, body: '{"title":"x","code":"unauthenticated"}' });
  });
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('outcome:denied');
  await input.press('Enter');
  await eventually(() => column(page, 'outcome').then((all) => all.length > 0 && all.every((text) => text === 'Denied')), true);
  assert.equal(await page.evaluate(() => window.fetched), first + 1, 'renewed once');
  host.setToken('rk_ps_nonsense');
  await server.call('DELETE', `/v1/portal-sessions/${next.id}`);
  await new Promise((done) => setTimeout(done, 5500)); // credentials are cached for up to five seconds
  await input.fill('action:user.login');
  await input.press('Enter');
  await page.getByRole('button', { name: 'Reload session' }).first().waitFor();
  assert.match(page.url(), /outcome/, 'the filter is kept');
  host.setToken((await server.session('northwind', { origins: [host.origin] })).token);
  await page.getByRole('button', { name: 'Reload session' }).first().click();
  await rows(page).first().waitFor();
  assert.equal(await page.locator('.chip').count(), 2);
  const other = await server.call('GET', '/v1/events/other-1', undefined, (await server.session('northwind')).token);
  assert.equal(other.status, 404);
  assert.doesNotMatch(other.text, /contoso|secret\.plan/);
  await host.stop();
});
