/** What must never work: other tenants' data, used links, foreign frames and messages, and markup in events. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { startServer } from './support/server.mjs';
import { behaviour, eventually, rows, settled } from './support/world.mjs';
import { startHost } from './support/hosts.mjs';

behaviour('security: a session reaches nothing of another tenant, by any route', async ({ server }) => {
  const mine = await server.session('northwind');
  const theirs = await server.session('contoso', { actor: { type: 'user', id: 'boss' } });
  const view = await server.must('POST', '/v1/saved-views', { name: 'Theirs', shared: true, view: {} }, theirs.token);
  const key = await server.must('POST', '/v1/keys', { name: 'theirs', scopes: ['events:read'] }, theirs.token);
  const job = await server.must('POST', '/v1/exports', { name: 'theirs', format: 'ndjson' }, theirs.token);
  const attempts = [
    ['GET', '/v1/events?tenant=contoso'], ['GET', '/v1/events/other-1'], ['GET', '/v1/events/other-1?tenant=contoso'], ['GET', '/v1/events/histogram?tenant=contoso'],
    ['GET', '/v1/events/facets?tenant=contoso&fields=action'], ['GET', '/v1/feed?tenant=contoso&from=0'], ['GET', '/v1/events/tail?tenant=contoso'], ['GET', '/v1/export?tenant=contoso'],
    ['GET', `/v1/saved-views/${view.id}`], ['PUT', `/v1/saved-views/${view.id}`, { name: 'x', view: {} }], ['DELETE', `/v1/saved-views/${view.id}`],
    ['GET', `/v1/keys/${key.id}`], ['DELETE', `/v1/keys/${key.id}`], ['GET', `/v1/exports/${job.id}`], ['GET', `/v1/exports/${job.id}/file`], ['DELETE', `/v1/exports/${job.id}`],
    ['DELETE', `/v1/portal-sessions/${theirs.id}`], ['GET', '/v1/tenants'], ['POST', '/v1/tenants', { id: 'mine' }],
    ['POST', '/v1/portal-sessions', { tenant: 'contoso', actor: { type: 'user', id: 'x' } }], ['POST', '/v1/portal-sessions', { tenant: 'northwind', actor: { type: 'user', id: 'x' } }],
    ['POST', '/v1/events', [{ tenant: 'northwind', occurred_at: new Date().toISOString(), action: 'x', actor: { type: 'user', id: 'x' } }]],
    ['POST', '/v1/keys', { name: 'more', scopes: ['operator'] }], ['POST', '/v1/keys', { name: 'more', scopes: ['sessions:create'] }], ['POST', '/v1/keys', { name: 'more', tenant: 'contoso', scopes: ['events:read'] }],
  ];
  for (const [method, path, body] of attempts) {
    const answer = await server.call(method, path, body, mine.token);
    assert.ok([400, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
    assert.doesNotMatch(answer.text, /secret\.plan|other-1"|Theirs/, `${method} ${path} tells nothing`);
  }
  const still = await server.call('GET', '/v1/events', undefined, theirs.token);
  assert.equal(still.status, 200);
});

behaviour('security: a session does only what its scopes say, on the server and on the page', async ({ portal, server }) => {
  const reading = { session: { scopes: ['events:read'], actor: { type: 'user', id: 'reader' } } };
  const { token } = await server.session('northwind', reading.session);
  for (const [method, path, body] of [['GET', '/v1/export'], ['POST', '/v1/exports', { format: 'csv' }], ['GET', '/v1/keys'], ['POST', '/v1/keys', { name: 'x', scopes: ['events:read'] }]]) {
    assert.equal((await server.call(method, path, body, token)).status, 403, `${method} ${path}`);
  }
  const { page } = await portal('', reading);
  await rows(page).first().waitFor();
  assert.deepEqual(await page.getByRole('navigation').getByRole('link').allInnerTexts(), ['Events']);
  assert.equal(await page.getByRole('button', { name: 'Export', exact: true }).count(), 0);
  await page.goto(new URL('/portal/keys', page.url()).href);
  await page.getByRole('heading', { name: 'No right to see this' }).waitFor();
});

behaviour('security: a link works once, leaves no code in the address, and a stolen one says so', async ({ page: open, server }) => {
  const { page } = await open();
  const { url } = await server.session('northwind');
  await page.goto(url);
  await rows(page).first().waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(performance.getEntriesByType('resource').map(({ name }) => name))), /code=|rk_/);
  const thief = await open();
  await thief.page.goto(url);
  await thief.page.getByRole('heading', { name: /can’t be used any more/ }).waitFor();
  assert.equal(await rows(thief.page).count(), 0);
  const stranger = await open();
  await stranger.page.goto(`${server.url}/portal`);
  await stranger.page.getByRole('heading', { name: 'A link is needed' }).waitFor();
});

behaviour('security: a token works only from the origins of its session', async ({ page: open, server }) => {
  const good = await startHost({ '/': { body: '<title>good</title>' } });
  const { token } = await server.session('northwind', { origins: [good.origin] });
  const ask = (page) => page.evaluate(async ([url, token]) => fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status, () => 'blocked'), [server.url, token]);
  const { page, problems } = await open();
  await page.goto(good.origin);
  assert.equal(await ask(page), 200);
  await page.goto(good.origin.replace('localhost', '127.0.0.1'));
  assert.ok(['blocked', 403].includes(await ask(page)));
  problems.length = 0; // Chromium reports the refusal, as it should.
  await good.stop();
});

/** Gives what waits until `count` further messages came to a page or frame, after whose own listener this one is asked. */
async function heard(target, count) {
  await target.evaluate((wanted) => {
    window.heard = new Promise((done) => addEventListener('message', () => --wanted || done()));
  }, count);
  return () => target.evaluate(() => window.heard);
}

behaviour('security: pages that were not allowed can’t frame the portal', async ({ page: open, server }) => {
  const answer = await server.call('GET', '/portal');
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe/);
  const { url } = await server.session('northwind');
  const host = await startHost({ '/': { body: `<title>clickjack</title><iframe src="${url}" width="900" height="700"></iframe>` } });
  const { page, problems } = await open();
  await page.goto(host.origin);
  await eventually(() => problems.some((text) => text.includes('frame-ancestors')), true);
  for (const frame of page.frames().slice(1)) assert.equal(await frame.locator('[data-row]').count().catch(() => 0), 0);
  problems.length = 0; // Chromium reports the refusal, as it should.
  await host.stop();
});

behaviour('security: in an allowed frame, only the page that holds it is heard', async ({ page: open }) => {
  const evil = await startHost(() => ({ body: '<title>evil</title>' }));
  const held = {};
  const host = await startHost(() => ({ body: `<title>host</title><iframe id="portal" src="${held.url}/portal" width="1200" height="700"></iframe><iframe id="evil" src="${evil.origin.replace('localhost', '127.0.0.1')}"></iframe>` }));
  const server = await startServer({ RECOUNT_HTTP_FRAME_ANCESTORS: host.origin });
  held.url = server.url;
  try {
    for (const tenant of ['alpha', 'beta']) await server.append([{ tenant, occurred_at: new Date().toISOString(), action: `${tenant}.thing`, actor: { type: 'user', id: 'u' } }]);
    const [alpha, beta] = await Promise.all(['alpha', 'beta'].map((tenant) => server.session(tenant)));
    const { page } = await open();
    await page.goto(host.origin);
    const frame = page.frames().find((each) => each.url().startsWith(server.url));
    await frame.getByRole('heading', { name: 'A link is needed' }).waitFor();
    const stranger = page.frames().find((each) => each.url().startsWith('http://127.0.0.1') && each !== frame);
    const fromStranger = async () => {
      const arrived = await heard(frame, 1);
      await stranger.evaluate((token) => parent.frames[0].postMessage({ type: 'recount:token', token }, '*'), beta.token);
      await arrived();
      await settled(page);
    };
    await fromStranger();
    assert.equal(await frame.locator('[data-row]').count(), 0, 'a sibling is not heard');
    await page.evaluate(([token, origin]) => frames[0].postMessage({ type: 'recount:token', token }, origin), [alpha.token, server.url]);
    await frame.locator('[data-row]').first().waitFor();
    assert.match(await frame.locator('[role=grid]').innerText(), /alpha\.thing/);
    await fromStranger();
    assert.doesNotMatch(await frame.locator('[role=grid]').innerText(), /beta\.thing/);
    await page.evaluate((origin) => frames[0].postMessage({ type: 'recount:theme', theme: 'dark' }, origin), server.url);
    await eventually(() => frame.evaluate(() => document.documentElement.dataset.theme), 'dark');
  } finally {
    await Promise.all([server.stop(), host.stop(), evil.stop()]);
  }
});

behaviour('security: messages from another origin or window change nothing', async ({ portal, server }) => {
  const { page, context } = await portal();
  await rows(page).first().waitFor();
  const { token } = await server.session('contoso', { actor: { type: 'user', id: 'boss' } });
  const evil = await startHost({ '/': { body: '<title>evil</title>' } });
  const [popup] = await Promise.all([context.waitForEvent('page'), page.evaluate((url) => { window.evil = window.open(url); }, evil.origin)]);
  await popup.waitForLoadState();
  const arrived = await heard(page, 3);
  await popup.evaluate((token) => {
    for (const message of [{ type: 'recount:token', token }, { type: 'recount:theme', theme: 'dark' }]) window.opener.postMessage(message, '*');
  }, token);
  await page.evaluate((token) => window.postMessage({ type: 'recount:token', token }, '*'), token);
  await arrived();
  await settled(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme ?? ''), '');
  await page.keyboard.press('r');
  await rows(page).first().waitFor();
  assert.doesNotMatch(await page.locator('[role=grid]').innerText(), /secret\.plan/);
  await evil.stop();
});

behaviour('security: markup, bidi controls and formulas in events stay inert in list, detail, title and export', async ({ log }) => {
  const { page } = await log('', { tenant: 'hostile' });
  const safe = async () => {
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.evaluate(() => {
      const found = [];
      const walk = (root) => root.querySelectorAll('*').forEach((node) => {
        if (['IMG', 'SCRIPT', 'IFRAME'].includes(node.tagName) && root !== document) found.push(node.outerHTML);
        if ([...node.attributes].some(({ name }) => name.startsWith('on'))) found.push(node.outerHTML);
        if (node.shadowRoot) walk(node.shadowRoot);
      });
      walk(document);
      return found.join('\n');
    }), '');
  };
  await safe();
  assert.match(await page.locator('[role=grid]').innerText(), /<img src=x onerror=/);
  assert.match(await page.locator('[role=grid]').innerText(), /invoice⟨U\+202E⟩fdp\.exe/);
  await rows(page).filter({ hasText: 'onerror' }).first().click();
  await page.locator('recount-event-detail .diff').waitFor();
  await safe();
  assert.match(await page.title(), /<img src=x/);
  for (const tab of ['Related', 'JSON', 'Overview']) {
    await page.getByRole('tab', { name: tab }).click();
    await page.locator(`#panel[aria-labelledby="tab-${tab.toLowerCase()}"]`).waitFor();
    await settled(page);
    await safe();
  }
  for (const button of await page.locator('recount-event-detail').getByRole('button', { name: /^Filter or copy/ }).all()) await button.getAttribute('aria-label');
  await page.locator('recount-event-detail').getByRole('button', { name: /^Filter or copy =HYPERLINK/ }).first().click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => rows(page).count(), 1);
  await safe();
  await page.keyboard.press('Escape');
  await page.locator('.chip .remove').first().click();
  await rows(page).nth(1).waitFor();
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const dialog = page.locator('recount-export-dialog dialog');
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Export' }).click()]);
  assert.doesNotMatch(readFileSync(await file.path(), 'utf8'), /(^|,)"?[=+\-@\t]/m);
});

behaviour('security: what the portal does is in the tenant’s own log', async ({ portal, server }) => {
  const person = { session: { actor: { type: 'user', id: `watched-${Date.now()}`, name: 'Watched' } } };
  const { page } = await portal('/keys', person);
  await page.getByRole('button', { name: 'Create key' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('SIEM');
  await page.locator('#create').getByRole('button', { name: 'Create key' }).click();
  const secret = await page.locator('#key').innerText();
  assert.match(secret, /^rk_tn_/);
  await page.getByRole('button', { name: 'Done' }).click();
  await eventually(() => page.getByText(secret).count(), 0); // shown once
  assert.equal((await server.call('GET', '/v1/events', undefined, secret)).status, 200);
  const row = page.getByRole('row').filter({ hasText: 'SIEM' }).last();
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.locator('#revoke').getByRole('button', { name: 'Revoke' }).click();
  await eventually(() => server.call('GET', '/v1/events', undefined, secret).then(({ status }) => status), 401);
  const { data } = await server.must('GET', `/v1/events?tenant=northwind&limit=100&filter=${encodeURIComponent(`source:recount actor:${person.session.actor.id}`)}`);
  const actions = data.map(({ action }) => action);
  for (const action of ['recount.key.created', 'recount.key.revoked']) assert.ok(actions.includes(action), `${action} among ${actions}`);
  assert.ok(actions.some((action) => /session/.test(action)), `${actions}`);
});
