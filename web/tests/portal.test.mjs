/** The hosted portal around its pages: getting in and staying in, its addresses, its brand, lists of any length. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { audit, relaxed } from './support/axe.mjs';
import { startServer } from './support/server.mjs';
import { behaviour, eventually, rows, world } from './support/world.mjs';

/** A deployment with a name, a difficult colour, and a page of the vendor's that lets people in. */
const LOGIN = 'https://app.example.com/audit?from=recount';
let branded;
before(async () => {
  branded = await startServer({ RECOUNT_PORTAL_NAME: 'Acme', RECOUNT_PORTAL_ACCENT: '#ffe600', RECOUNT_PORTAL_LOGIN_URL: LOGIN });
  await branded.append([1, 2, 3].map((n) => ({ tenant: 'northwind', occurred_at: new Date().toISOString(), action: n === 1 ? 'role.updated' : 'user.login', actor: { type: 'user', id: `u_${n}` } })));
}, { timeout: 300_000 });
after(() => branded?.stop());

const current = (page) => new URL(page.url()).pathname + new URL(page.url()).search;

behaviour('clicking the page one is on starts it over: address and screen agree', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated&time=7d');
  await eventually(() => page.locator('.chip').count(), 1);
  await page.getByRole('link', { name: 'Events' }).click();
  await eventually(() => page.locator('.chip').count(), 0);
  assert.equal(current(page), '/portal');
  await page.goBack();
  await eventually(() => page.locator('.chip').count(), 1);
});

behaviour('keys beyond the first page are seen, newest first, and can be revoked', async ({ portal, server }) => {
  const tenant = `keys-${Date.now()}`;
  const { token } = await server.session(tenant);
  for (let n = 1; n <= 60; n++) await server.must('POST', '/v1/keys', { name: `key ${n}`, scopes: ['events:read'] }, token);
  const { page } = await portal('/keys', { tenant });
  const names = page.locator('recount-keys tbody tr td:first-child bdi');
  await eventually(() => names.count(), 50);
  assert.equal(await names.first().innerText(), 'key 60');
  await page.getByRole('button', { name: 'Show more' }).click();
  await eventually(() => names.count(), 60);
  assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
  await page.getByRole('row', { name: /^key 1 / }).getByRole('button', { name: 'Revoke' }).click();
  await page.locator('#revoke').getByRole('button', { name: 'Revoke' }).click();
  await eventually(() => names.count(), 59);
  assert.equal(await names.last().innerText(), 'key 2', 'what was shown stays');
  const { data } = await server.must('GET', '/v1/keys?limit=200', undefined, token);
  assert.deepEqual(data.filter(({ revoked_at }) => revoked_at).map(({ name }) => name), ['key 1']);
});

behaviour('exports have pages too', async ({ portal, server }) => {
  const tenant = `exports-${Date.now()}`;
  const { token } = await server.session(tenant);
  for (const name of ['first', 'second', 'third']) await server.must('POST', '/v1/exports', { name, filter: 'action:none' }, token);
  const { page } = await portal('/exports', {
    tenant, before: (page) => page.route(/\/v1\/exports(\?|$)/, (route) => route.continue({ url: `${route.request().url()}${route.request().url().includes('?') ? '&' : '?'}limit=2` })),
  });
  const names = page.locator('recount-exports tbody tr td:first-child bdi:first-child');
  await eventually(() => names.allInnerTexts().then((all) => all.filter((name) => /first|second|third/.test(name))), ['third', 'second']);
  await page.getByRole('button', { name: 'Show more' }).click();
  await eventually(() => names.allInnerTexts().then((all) => all.filter((name) => /first|second|third/.test(name))), ['third', 'second', 'first']);
});

behaviour('17. an export made as a job holds what the view shows: its columns, its zone', async ({ log }) => {
  const query = '?filter=action%3Aproject.deleted&time=7d&cols=time,actor,outcome,ip&zone=Asia%2FTokyo';
  const files = [];
  for (const rowsMax of [10_000, 1]) {
    const { page } = await log(query, {
      before: (page) => page.route('**/v1/me', async (route) => {
        const answer = await route.fetch();
        const me = await answer.json();
        await route.fulfill({ response: answer, json: { ...me, limits: { ...me.limits, export_inline_rows_max: rowsMax } } });
      }),
    });
    await page.locator('recount-status-line strong').waitFor();
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    const dialog = page.locator('recount-export-dialog dialog');
    assert.match(await dialog.locator('dl').innerText(), /Asia\/Tokyo/);
    assert.equal(await dialog.getByRole('radio').count(), 3);
    const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Export' }).click()]);
    files.push(readFileSync(await download.path(), 'utf8'));
  }
  assert.match(files[0], /^time,actor,actor_id,outcome,ip\r\n\d{4}-\d\d-\d\dT[\d:.]+\+09:00,/);
  assert.ok(files[0].split('\r\n').length > 3);
  assert.equal(files[1], files[0]);
});

behaviour('23. the hosted session is renewed once each time, and the pages go on with the new token', async ({ page: open, server }) => {
  const { page } = await open();
  await page.clock.install();
  const renewals = [];
  const used = new Set();
  page.on('request', (request) => {
    if (request.url().endsWith('/refresh')) renewals.push(request.headers().authorization);
    else if (request.url().includes('/v1/events')) used.add(request.headers().authorization);
  });
  const refused = [];
  page.on('response', (response) => response.status() === 401 && refused.push(response.url()));
  const { url } = await server.session('northwind', { ttl_seconds: 3600 });
  await page.goto(url);
  await rows(page).first().waitFor();
  for (let n = 1; n <= 4; n++) {
    const renewed = page.waitForResponse(/\/refresh$/);
    await page.clock.fastForward(46 * 60_000);
    await (await renewed).finished();
    await eventually(() => renewals.length, n);
  }
  assert.equal(new Set(renewals).size, 4, 'each with the token of the one before');
  used.clear();
  await page.keyboard.press('r');
  await eventually(() => used.size, 1);
  assert.ok(!renewals.includes([...used][0]), 'the newest token is the one in use');
  assert.deepEqual(refused, []);
});

behaviour('23. after a sleep that outlasts the token, “Reload session” leads to where a new one is made, and back to the view', async ({ page: open }) => {
  const { page } = await open();
  await page.clock.install();
  const link = (extra) => branded.session('northwind', { ttl_seconds: 600, return_url: 'https://app.example.com/settings', ...extra }).then(({ url }) => url);
  await page.goto(`${await link({})}`);
  await rows(page).first().waitFor();
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await input.fill('action:role.updated');
  await input.press('Enter');
  await eventually(() => rows(page).count(), 1);
  const view = current(page);
  await page.route('**/v1/**', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"code":"unauthenticated","detail":"ended"}' }));
  await page.clock.fastForward(11 * 60_000);
  await page.locator('body').press('r');
  await page.getByRole('button', { name: 'Reload session' }).first().waitFor();
  assert.equal(current(page), view, 'the filter is kept');
  await page.route('https://app.example.com/**', (route) => route.fulfill({ contentType: 'text/html', body: '<title>Acme</title>' }));
  await page.getByRole('button', { name: 'Reload session' }).first().click();
  await page.waitForURL(/app\.example\.com/);
  const asked = new URL(page.url());
  assert.equal(asked.searchParams.get('from'), 'recount');
  assert.equal(asked.searchParams.get('return_to'), view);
  await page.unroute('**/v1/**');
  await page.goto(await link({ path: asked.searchParams.get('return_to') }));
  await eventually(() => rows(page).count(), 1);
  assert.equal(current(page), view);
});

behaviour('15. a copied link in a tab without a session leads through the vendor’s page to that very view', async ({ page: open }) => {
  const { page } = await open();
  const wanted = '/portal?filter=action%3Arole.updated&time=7d';
  await page.goto(branded.url + wanted);
  await page.getByRole('heading', { name: 'Sign in to see the audit log' }).waitFor();
  const way = page.getByRole('link', { name: 'Continue to Acme' });
  assert.equal(new URL(await way.getAttribute('href')).searchParams.get('return_to'), wanted);
  // A vendor that has only the plain link: the tab remembers what was wanted.
  await page.goto((await branded.session('northwind')).url);
  await eventually(() => rows(page).count(), 1);
  assert.equal(current(page), wanted);
});

behaviour('the brand is in the head and the title, with the tenant’s name, in the person’s language', async ({ page: open }) => {
  const { page } = await open({ locale: 'fr-FR' });
  await page.goto((await branded.session('northwind', { locale: 'fr', tenant_name: 'Northwind SARL' })).url);
  await rows(page).first().waitFor();
  assert.equal(await page.locator('recount-portal .who').innerText().then((text) => text.replace(/\s+/g, ' ')), 'Acme Journal d’audit de Northwind SARL');
  await eventually(() => page.title(), 'Événements · Journal d’audit de Northwind SARL · Acme');
  await page.getByRole('link', { name: 'Clés d’API' }).click();
  await eventually(() => page.title(), 'Clés d’API · Journal d’audit de Northwind SARL · Acme');
  await page.route('**/v1/keys', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"exceeds_creator","detail":"the key would have more rights"}' }));
  await page.getByRole('button', { name: 'Créer une clé' }).first().click();
  await page.getByRole('textbox').first().fill('SIEM');
  await page.locator('#create .primary').click();
  assert.match(await page.locator('#create').getByRole('alert').innerText(), /plus de droits/);
});

for (const colorScheme of ['light', 'dark']) {
  behaviour(`a bright accent stays readable, ${colorScheme}`, async ({ page: open }) => {
    const { page } = await open({ ...relaxed, colorScheme });
    await page.goto((await branded.session('northwind')).url);
    await rows(page).first().click();
    await page.locator('recount-event-detail h2').waitFor();
    const colours = await page.locator('recount-portal .mark').evaluate((mark) => [getComputedStyle(mark).backgroundColor, getComputedStyle(mark).color]);
    assert.notEqual(colours[0], colours[1]);
    const found = [];
    await audit(page, 'details', found);
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('button', { name: 'Create key' }).first().click();
    await audit(page, 'a dialog with its primary button', found);
    assert.deepEqual(found, []);
  });
}

behaviour('25. axe finds nothing where there is nothing to see: an ended link, no link, no right', async ({ page: open }) => {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    const { page } = await open({ ...relaxed, colorScheme });
    for (const [what, url] of [['used', `${branded.url}/portal#code=rk_pl_used`], ['missing', `${world.server.url}/portal`], ['sign in', `${branded.url}/portal`],
      ['no right', (await world.server.session('northwind', { scopes: ['events:read'], path: '/portal/keys' })).url]]) {
      await page.goto('about:blank');
      await page.goto(url);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await audit(page, `${what}, ${colorScheme}`, found);
    }
  }
  assert.deepEqual(found, []);
});

behaviour('25. axe finds nothing on pages with something in them, and in their dialogs', async ({ page: open, server }) => {
  const tenant = `full-${Date.now()}`;
  const { token } = await server.session(tenant);
  await server.must('POST', '/v1/keys', { name: 'SIEM reader', scopes: ['events:read', 'exports:write'] }, token);
  await server.must('POST', '/v1/exports', { name: 'October' }, token);
  const stream = await server.must('POST', '/v1/streams', { name: 'Hook', destination: { type: 'webhook', url: 'https://example.com/hook' }, format: 'recount', filter: '', start: 'now' }, token);
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    const { page } = await open({ ...relaxed, colorScheme });
    const go = async (path) => page.goto((await server.session(tenant, { path: `/portal${path}` })).url);
    await go('/keys');
    await page.locator('recount-keys table').waitFor();
    await audit(page, `keys, ${colorScheme}`, found);
    await page.getByRole('button', { name: 'Revoke' }).first().click();
    await page.locator('#revoke[open]').waitFor();
    await audit(page, `revoke, ${colorScheme}`, found);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Create key' }).first().click();
    await audit(page, `create key, ${colorScheme}`, found);
    await go('/exports');
    await page.locator('recount-exports .badge.ok').waitFor();
    await audit(page, `exports, ${colorScheme}`, found);
    for (const at of ['', `?stream=${stream.id}`, '?add=', '?add=s3', '?add=security-lake']) {
      await go(`/streams${at}`);
      await page.getByRole('heading').first().waitFor();
      await audit(page, `streams${at}, ${colorScheme}`, found);
    }
    await go(`/streams?stream=${stream.id}`);
    for (const name of ['Enable anyway', 'Delete']) {
      await page.getByRole('button', { name, exact: true }).first().click();
      await page.locator('dialog[open]').waitFor();
      await audit(page, `${name}, ${colorScheme}`, found);
      await page.keyboard.press('Escape');
    }
  }
  assert.deepEqual(found, []);
}, { timeout: 300_000 });
