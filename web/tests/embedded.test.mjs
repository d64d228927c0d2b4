/** The core behaviours cross-origin, in a host page with a strict policy and Trusted Types; behaviour 23. */
import assert from 'node:assert/strict';
import { start } from '../scripts/size.mjs';
import { audit, relaxed } from './support/axe.mjs';
import { embedding, startHost } from './support/hosts.mjs';
import { behaviour, column, eventually, rows, settled, world } from './support/world.mjs';

async function embedded(page, options = {}, session = {}) {
  let token = '';
  const pages = embedding(world.server.url, options);
  const host = await startHost((path) => (path === '/session' ? { type: 'text/plain', body: token } : pages[path]));
  token = (await world.server.session('northwind', { origins: [host.origin], ...session })).token;
  await page.goto(`${host.origin}/${options.at ?? ''}`);
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

behaviour('embedded: at its start the log fetches what the budget counts, and the rest when it is first needed', async ({ page: open }) => {
  const { page } = await open();
  const fetched = new Set();
  page.on('request', (request) => /\/assets\/.*\.js$/.test(request.url()) && fetched.add(request.url().replace(/.*\//, '')));
  const host = await embedded(page, { module: 'recount-log.js' });
  await rows(page).first().waitFor();
  await page.locator('recount-histogram rect.bar').first().waitFor();
  await page.locator('recount-status-line strong').waitFor();
  await settled(page);
  assert.deepEqual([...fetched].sort(), [...start].sort());
  await rows(page).first().click();
  await page.locator('recount-event-detail h2').waitFor();
  assert.ok(fetched.has('recount-later.js'));
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
  await eventually(() => column(page, 'action').then((all) => all.includes('test.embedded')), true);
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

/** A page of a vendor whose own routes are in the fragment, as single-page applications have them. */
const routed = {
  script: `const show = () => { const route = location.hash.replace(/^#/, '').split('?')[0] || '/'; document.querySelector('#route').textContent = route; document.querySelector('recount-portal').hidden = route !== '/settings/audit'; };
    addEventListener('hashchange', show); addEventListener('popstate', show); show();`,
  body: '<p id="route"></p><nav><a href="#/home">Home</a></nav>',
};

behaviour('embedded: a hash router of the host keeps its route and its parameters, as it wrote them', async ({ page: open }) => {
  const { page } = await open();
  const host = await embedded(page, { element: 'recount-portal', at: '#/settings/audit?tab=a+b%2Fc', ...routed });
  await rows(page).first().waitFor();
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('action:role.updated');
  await input.press('Enter');
  await page.locator('.chip').waitFor();
  const hash = () => new URL(page.url()).hash;
  assert.equal(hash(), '#/settings/audit?tab=a+b%2Fc&filter=action%3Arole.updated');
  await page.getByRole('link', { name: 'Exports' }).click();
  await page.getByRole('heading', { name: 'Exports', level: 1 }).waitFor();
  assert.equal(hash(), '#/settings/audit?tab=a+b%2Fc&page=exports', 'a page brings its own parameters, not those of the one before');
  await page.goBack();
  await page.locator('.chip').waitFor();
  assert.equal(await page.locator('#route').innerText(), '/settings/audit');
  await page.reload();
  await page.locator('.chip').waitFor();
  await page.locator('.chip').getByRole('button').last().click();
  await eventually(hash, '#/settings/audit?tab=a+b%2Fc');
  await page.getByRole('link', { name: 'Home' }).click();
  await eventually(() => page.locator('#route').innerText(), '/home');
  assert.equal(hash(), '#/home');
  await host.stop();
});

behaviour('embedded: an anchor of the host stays', async ({ page: open }) => {
  const { page } = await open();
  const host = await embedded(page, { at: '#billing' });
  await rows(page).first().waitFor();
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('outcome:denied');
  await input.press('Enter');
  await eventually(() => new URL(page.url()).hash, '#billing&filter=outcome%3Adenied');
  await host.stop();
});

behaviour('embedded: the colours button works without the host’s help, and the host’s choice shows in it', async ({ page: open }) => {
  const { page } = await open();
  const host = await embedded(page, { element: 'recount-portal' });
  await rows(page).first().waitFor();
  const ground = () => page.locator('recount-portal').evaluate((element) => getComputedStyle(element).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Colours of the system' }).click();
  await page.getByRole('button', { name: 'Light' }).click();
  await page.getByRole('button', { name: 'Dark' }).waitFor();
  assert.notEqual(await ground(), light);
  await page.locator('recount-portal').evaluate((element) => (element.theme = 'light'));
  await page.getByRole('button', { name: 'Light' }).waitFor();
  assert.equal(await ground(), light);
  await host.stop();
});

behaviour('embedded: right to left, in a page of that direction', async ({ page: open }) => {
  const { page } = await open({ ...relaxed });
  const host = await embedded(page, { element: 'recount-portal', lang: 'he', dir: 'rtl' });
  await rows(page).first().click();
  await page.locator('recount-event-detail h2').waitFor();
  const side = (name) => page.locator(name).first().boundingBox().then(({ x }) => x);
  assert.ok(await side('recount-event-detail') < await side('recount-event-table'), 'details are at the end, which is the left');
  assert.ok(await side('recount-portal .mark') > await side('recount-portal nav'), 'the brand is at the beginning');
  const found = [];
  await audit(page, 'right to left', found);
  assert.deepEqual(found, []);
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
  // The server remembers credentials for some seconds.
  await eventually(() => server.call('GET', '/v1/me', undefined, next.token, { origin: host.origin }).then(({ status }) => status), 401);
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
