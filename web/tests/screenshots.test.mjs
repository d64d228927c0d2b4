/** Pictures of every page and state, light and dark, into `screenshots/`. */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { northwind } from './support/events.mjs';
import { behaviour, eventually, NOW, rows, settled } from './support/world.mjs';

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const problem = (status, code, detail) => ({ status, contentType: 'application/problem+json', headers: { 'x-request-id': 'req_01JDKQ8V4T' }, body: JSON.stringify({ title: code, code, detail }) });
const first = (page) => rows(page).first().waitFor();
const counted = (page) => page.locator('recount-status-line strong').waitFor();

/** A tenant with one stream that fares well and one that does not. */
const STREAMING = 'streaming';
let streams;
const withStreams = (server) => (streams ??= (async () => {
  const hook = createServer((request, response) => {
    const good = request.url === '/good';
    request.resume().on('end', () => response.writeHead(good ? 200 : 403, { 'content-type': 'application/json' }).end(good ? '{"ok":true}' : '{"error":"the token has expired"}'));
  }).listen(0, '127.0.0.1').unref();
  await new Promise((done) => hook.once('listening', done));
  await server.append(northwind(200, NOW, STREAMING));
  await server.must('PATCH', `/v1/tenants/${STREAMING}`, { retention_days: 400 });
  const { token } = await server.session(STREAMING);
  const add = async (name, destination, filter = '') => {
    const { id } = await server.must('POST', '/v1/streams', { name, destination, format: 'recount', filter, start: 'beginning' }, token);
    await server.must('POST', `/v1/streams/${id}/test`, {}, token);
    await server.must('POST', `/v1/streams/${id}/enable`, { without_test: true }, token);
    await eventually(() => server.must('GET', `/v1/streams/${id}`, undefined, token), ({ delivered, last_error }) => delivered > 0 || !!last_error);
    return id;
  };
  const url = `http://127.0.0.1:${hook.address().port}`;
  return {
    good: await add('Security data lake', { type: 'webhook', url: `${url}/good` }),
    bad: await add('Ops alerts', { type: 'https', url: `${url}/bad`, body: 'array', envelope: 'logs' }, 'outcome:denied'),
  };
})());
const listed = async (page) => page.locator('recount-streams tbody tr').nth(1).waitFor();
const detailOf = (which) => ({
  tenant: STREAMING, at: '/streams',
  async go(page, server) {
    const ids = await withStreams(server);
    await page.goto(`${server.url}/portal/streams?stream=${ids[which]}`);
    await page.locator('recount-stream-detail tbody tr').first().waitFor();
  },
});
const NARROW = { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2 };
const ZOOMED = { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 };
const here = (page, name) => page.locator(`recount-${name}`).locator('table, .state, .picker').first().waitFor();

/** name → how to get there. `at` is the path of the portal; `waits`: something stays without an answer. */
const SCENES = {
  events: { at: '?time=7d', async go(page) { await first(page); await counted(page); } },
  detail: { at: '?filter=action%3Arole.updated%20-actor%3Anobody&time=7d', async go(page) { await first(page); await counted(page); await rows(page).nth(2).click(); await page.locator('.diff').waitFor(); await page.getByRole('tab', { name: /Related \d/ }).waitFor(); } },
  'detail-denied': { at: '?filter=outcome%3Adenied', async go(page) { await first(page); await counted(page); await rows(page).nth(1).click(); await page.locator('recount-event-detail dl').first().waitFor(); } },
  'detail-related': { at: '?filter=action%3Arole.updated', async go(page) { await first(page); await rows(page).nth(2).click(); await page.getByRole('tab').nth(1).click(); await page.locator('.near').first().waitFor(); } },
  'detail-json': { at: '?filter=action%3Arole.updated', async go(page) { await first(page); await rows(page).nth(2).click(); await page.getByRole('tab').nth(2).click(); } },
  suggestions: { at: '', async go(page) { await first(page); await page.keyboard.press('/'); await page.keyboard.type('-actor:'); await page.getByRole('option').nth(3).waitFor(); await page.keyboard.press('ArrowDown'); } },
  mistake: { at: '', async go(page) { await first(page); await page.keyboard.press('/'); await page.keyboard.type('colour:red'); await page.keyboard.press('Enter'); } },
  time: { at: '', async go(page) { await first(page); await page.keyboard.press('t'); await page.locator('#typed').waitFor(); } },
  brush: { at: '?time=7d', async go(page) {
    await first(page); await page.locator('rect.bar').first().waitFor();
    const box = await page.locator('svg.plot').boundingBox();
    await page.mouse.move(box.x + box.width * 0.55, box.y + 30); await page.mouse.down(); await page.mouse.move(box.x + box.width * 0.7, box.y + 30, { steps: 4 });
  } },
  zoomed: { at: '', async go(page) {
    await first(page); await page.locator('rect.bar').first().waitFor();
    const box = await page.locator('svg.plot').boundingBox();
    await page.mouse.move(box.x + box.width * 0.55, box.y + 30); await page.mouse.down(); await page.mouse.move(box.x + box.width * 0.7, box.y + 30, { steps: 4 }); await page.mouse.up();
    await page.locator('recount-histogram .out').waitFor(); await page.locator('recount-histogram .plot-box:not(.loading)').waitFor(); await page.mouse.move(700, 600);
  } },
  scrolled: { at: '?filter=action%3Aproject.deleted', async go(page) { await first(page); await page.locator('.scroller').evaluate((element) => element.scrollTo(0, 1012)); } },
  'time-menu': { at: '', async go(page) { await first(page); const cell = rows(page).nth(4).locator('.cell.time'); await cell.hover(); await cell.locator('.pick').click(); } },
  'value-menu': { at: '', async go(page) { await first(page); const cell = rows(page).nth(4).locator('.cell.actor'); await cell.hover(); await cell.locator('.pick').click(); } },
  columns: { at: '?cols=time,actor,action,target,ip,location,metadata.plan,outcome', async go(page) { await first(page); await page.getByRole('button', { name: 'Columns' }).click(); } },
  views: { at: '?filter=outcome%3Adenied', async go(page) { await first(page); await page.keyboard.press('v'); await page.locator('recount-saved-views [popover]').waitFor(); } },
  'save-view': { at: '?filter=outcome%3Adenied', async go(page) { await first(page); await page.keyboard.press('v'); await page.getByRole('button', { name: /Save this view/ }).click(); } },
  export: { at: '?filter=action%3Aproject.deleted&time=7d', async go(page) { await first(page); await counted(page); await page.keyboard.press('e'); await page.locator('recount-export-dialog dialog[open]').waitFor(); } },
  keyboard: { at: '', async go(page) { await first(page); await page.keyboard.press('?'); await page.locator('recount-keys-help dialog[open]').waitFor(); } },
  live: { at: '?time=24h', async go(page, server) {
    await first(page); await page.keyboard.press('l'); await page.locator('.live.on').waitFor();
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, 900));
    await page.locator('[data-row="26"]').waitFor();
    await server.append([1, 2, 3].map(() => ({ tenant: TENANT, occurred_at: new Date().toISOString(), action: 'document.viewed', actor: { type: 'user', id: 'u_1', name: 'Ada Lovelace' } })));
    await page.locator('.pill').waitFor();
  } },
  compact: { at: '?time=7d', async go(page) { await first(page); await counted(page); await page.getByRole('button', { name: 'Compact rows' }).click(); } },
  'no-match': { at: '?filter=action%3Arole.updated%20actor%3Anobody&time=7d', async go(page) { await page.locator('recount-no-match .ways code').first().waitFor(); } },
  'none-yet': { at: '', tenant: 'empty', async go(page) { await page.locator('recount-no-match .none').waitFor(); } },
  error: { at: '', async before(page) { await page.route('**/v1/events?**', (route) => route.fulfill(problem(500, 'data_damaged', 'segment 00000000-00131071 of this tenant is damaged; nothing of it is served'))); }, async go(page) { await page.locator('recount-problem h2').waitFor(); } },
  expensive: { at: '', async before(page) { await page.route('**/v1/events?**', (route) => route.fulfill(problem(422, 'too_expensive', 'this search would read 12 GB; name an action or an actor, or a range of at most 7 days'))); }, async go(page) { await page.locator('recount-problem h2').waitFor(); } },
  partial: { at: '', async before(page) {
    await page.route('**/v1/events/histogram**', async (route) => { const answer = await route.fetch(); await route.fulfill({ response: answer, json: { ...(await answer.json()), exact: false, covered_from: '2026-11-20T08:00:00Z' } }); });
  }, async go(page) { await first(page); await page.locator('recount-log-banner .note').waitFor(); } },
  loading: { at: '', waits: true, async before(page) { await page.route('**/v1/events?**', () => {}); }, async go(page) { await page.locator('.skeleton').waitFor(); } },
  offline: { at: '', async go(page) { await first(page); await counted(page); await page.context().setOffline(true); await page.locator('recount-log-banner .note').waitFor(); } },
  expired: { at: '', async go(page) {
    await first(page); await counted(page);
    await page.route('**/v1/**', (route) => route.fulfill(problem(401, 'unauthenticated', 'the session has ended')));
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.locator('recount-log-banner .note').waitFor();
  } },
  'no-right': { at: '/keys', session: { scopes: ['events:read'] }, async go(page) { await page.locator('recount-portal .state').waitFor(); } },
  'link-used': { raw: '/portal#code=used', async go(page) { await page.locator('recount-link-state h1').waitFor(); } },
  'link-missing': { raw: '/portal', async go(page) { await page.locator('recount-link-state h1').waitFor(); } },
  exports: { at: '/exports', async before(page, server) {
    const { token } = await server.session(TENANT, { actor: { type: 'user', id: 'u_1', name: 'Ada Lovelace' } });
    for (const [name, filter] of [['Denied sign-ins, Q4', 'outcome:denied'], ['Role changes', 'action:role.updated']]) await server.must('POST', '/v1/exports', { name, filter, format: 'ndjson' }, token).catch(() => {});
  }, async go(page) { await page.locator('recount-exports table').waitFor(); await page.locator('.badge.ok').first().waitFor(); } },
  'exports-empty': { at: '/exports', tenant: 'contoso', async before(page) { await page.route('**/v1/exports', (route) => route.fulfill({ json: { data: [] } })); }, async go(page) { await page.locator('recount-exports .state').waitFor(); } },
  keys: { at: '/keys', async before(page, server) {
    const { token } = await server.session(TENANT);
    const { json } = await server.call('GET', '/v1/keys', undefined, token);
    if (json.data.filter((key) => !key.revoked_at).length < 2) for (const name of ['SIEM reader', 'Nightly export']) await server.must('POST', '/v1/keys', { name, scopes: ['events:read', 'exports:write'] }, token);
  }, async go(page) { await page.locator('recount-keys table').waitFor(); } },
  'key-new': { at: '/keys', async go(page) { await page.getByRole('button', { name: 'Create key' }).first().click(); await page.getByRole('textbox').first().fill('SIEM reader'); } },
  'key-made': { at: '/keys', tenant: 'contoso', async go(page) { await page.getByRole('button', { name: 'Create key' }).first().click(); await page.getByRole('textbox').first().fill('SIEM reader'); await page.locator('#create .primary').click(); await page.locator('#key').waitFor(); } },
  'keys-empty': { at: '/keys', tenant: 'empty', async go(page) { await page.locator('recount-keys .state, recount-keys table').first().waitFor(); } },
  streams: { at: '/streams', async go(page) { await page.locator('.picker').waitFor(); } },
  'stream-form': { at: '/streams?add=s3', async go(page) { await page.locator('recount-stream-form form').waitFor(); } },
  'streams-list': { tenant: STREAMING, at: '/streams', before: (_, server) => withStreams(server), go: listed },
  'stream-detail': detailOf('good'),
  'stream-failing': detailOf('bad'),
  'stream-form-https': { at: '/streams?add=https', async go(page) { await page.locator('recount-stream-form form').waitFor(); } },
  'stream-detail-narrow': { ...detailOf('bad'), browser: NARROW },
  'streams-list-narrow': { tenant: STREAMING, at: '/streams', browser: NARROW, before: (_, server) => withStreams(server), go: listed },
  'streams-narrow': { at: '/streams', browser: NARROW, go: (page) => here(page, 'streams') },
  'stream-form-narrow': { at: '/streams?add=https', browser: NARROW, async go(page) { await page.locator('recount-stream-form form').waitFor(); } },
  'exports-narrow': { at: '/exports', browser: NARROW, go: (page) => here(page, 'exports') },
  'keys-narrow': { at: '/keys', browser: NARROW, go: (page) => here(page, 'keys') },
  'no-right-narrow': { at: '/keys', browser: NARROW, session: { scopes: ['events:read'] }, async go(page) { await page.locator('recount-portal .state').waitFor(); } },
  'zoom-200': { at: '?time=7d', browser: ZOOMED, async go(page) { await first(page); await counted(page); } },
  'zoom-200-detail': { at: '?filter=action%3Arole.updated&time=7d', browser: ZOOMED, async go(page) { await first(page); await rows(page).nth(1).click(); await page.locator('.diff').waitFor(); } },
  'zoom-200-keys': { at: '/keys', browser: ZOOMED, go: (page) => here(page, 'keys') },
  'streams-right-to-left': { tenant: STREAMING, at: '/streams', session: { locale: 'ar' }, before: (_, server) => withStreams(server), go: listed },
  'keys-right-to-left': { at: '/keys', session: { locale: 'ar' }, go: (page) => here(page, 'keys') },
  'stream-form-french': { at: '/streams?add=https', session: { locale: 'fr' }, async go(page) { await page.locator('recount-stream-form form').waitFor(); } },
  'keys-french': { at: '/keys', session: { locale: 'fr' }, go: (page) => here(page, 'keys') },
  'exports-french': { at: '/exports', session: { locale: 'fr' }, go: (page) => here(page, 'exports') },
  french: { at: '?filter=action%3Arole.updated&time=7d', session: { locale: 'fr' }, async go(page) { await first(page); await counted(page); await rows(page).nth(1).click(); await page.locator('.diff').waitFor(); } },
  'right-to-left': { at: '?filter=action%3Arole.updated&time=7d', session: { locale: 'ar' }, async go(page) { await first(page); await counted(page); await rows(page).nth(1).click(); await page.locator('.diff').waitFor(); } },
  narrow: { at: '?filter=action%3Arole.updated&time=7d', browser: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }, async go(page) { await first(page); await counted(page); } },
  'narrow-detail': { at: '?filter=action%3Arole.updated&time=7d', browser: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }, async go(page) { await first(page); await rows(page).nth(1).click(); await page.locator('.diff').waitFor(); } },
  touch: { at: '?filter=action%3Arole.updated&time=7d', browser: { viewport: { width: 320, height: 700 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }, async go(page) { await first(page); await counted(page); } },
  tablet: { at: '?filter=action%3Arole.updated&time=7d', browser: { viewport: { width: 900, height: 1100 } }, async go(page) { await first(page); await counted(page); await rows(page).nth(1).click(); await page.locator('.diff').waitFor(); } },
};

const sessions = {};
/** A tenant of their own: the other tests' sessions are in the log, and would be all that is seen. */
const TENANT = 'northgate';
const EVENTS_SHOWN = 30_000;

behaviour('pictures of every page and state, light and dark', async ({ page: open, server }) => {
  await server.append(northwind(EVENTS_SHOWN, NOW, TENANT));
  for (const [name, scene] of Object.entries(SCENES)) {
    if (process.env.RECOUNT_SCENES && !process.env.RECOUNT_SCENES.split(',').includes(name)) continue;
    const { page, context, problems } = await open(scene.browser);
    try {
      await scene.before?.(page, server);
      // One session for all pictures of a kind: opening sessions is in the log, and would be all of it.
      const kind = JSON.stringify([scene.tenant, scene.session]);
      sessions[kind] ??= await server.session(scene.tenant ?? TENANT, scene.session);
      const { token, expires_at } = sessions[kind];
      if (!scene.raw) await page.addInitScript((stored) => sessionStorage.setItem('recount.token', stored), JSON.stringify({ token, expires_at }));
      await page.goto(server.url + (scene.raw ?? `/portal${scene.at}`));
      await scene.go(page, server);
      await page.evaluate(() => document.fonts.ready);
      if (!scene.waits) await settled(page);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${folder}${name}-${colorScheme}.png` });
      }
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    } finally {
      problems.length = 0;
      await context.close();
    }
  }
}, { timeout: 600_000 });
