/** Behaviours 12 to 15: the open event. */
import assert from 'node:assert/strict';
import { behaviour, column, eventually, NOW, rows, view, world } from './support/world.mjs';

behaviour('12. details stand beside the list when there is room and over it when not; arrow keys step on', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  await rows(page).first().click();
  const detail = page.locator('recount-event-detail');
  await detail.locator('h2').waitFor();
  const [list, side] = await Promise.all([page.locator('recount-event-table').boundingBox(), detail.boundingBox()]);
  assert.ok(side.x >= list.x + list.width, 'beside');
  const first = view(page).get('event');
  await page.keyboard.press('ArrowDown');
  const second = await eventually(() => view(page).get('event'), (id) => id !== first);
  await detail.getByRole('button', { name: 'Previous event' }).click();
  await eventually(() => view(page).get('event'), first);
  assert.notEqual(first, second);
  await page.setViewportSize({ width: 800, height: 800 });
  const [narrowList, sheet] = await Promise.all([page.locator('recount-event-table').boundingBox(), detail.boundingBox()]);
  assert.ok(sheet.width > 780 && sheet.y < narrowList.y + narrowList.height, 'a sheet over the list');
});

behaviour('13. the diff shows only what changed: items, words, nested members; secrets stay hidden', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  await rows(page).first().click();
  const diff = page.locator('recount-event-detail .diff');
  await diff.waitFor();
  const text = await diff.innerText();
  assert.match(text, /invoices\.refund/);
  assert.doesNotMatch(text, /invoices\.read/, 'an item that stayed');
  assert.match(text, /invoices\.list/);
  assert.match(text, /owner\.region/);
  assert.doesNotMatch(text, /owner\.team/);
  assert.doesNotMatch(text, /whsec/);
  assert.match(text, /value hidden/);
  assert.equal((await diff.locator('.words ins').first().innerText()).trim(), 'and refund');
  await page.getByRole('tab', { name: 'JSON' }).click();
  const json = JSON.parse(await page.locator('recount-event-detail pre').innerText());
  assert.equal(json.id, view(page).get('event'));
});

behaviour('13. secrets stay hidden however deep they are, and what turns the reading direction is written out', async ({ log, server }) => {
  await server.append([{
    tenant: 'secrets', occurred_at: new Date(NOW - 60_000).toISOString(), action: 'webhook.updated', actor: { type: 'user', id: 'u', name: 'Mal\u200f\u061clory\u200e' },
    changes: [
      { field: 'endpoint', before: null, after: { url: 'https://a.example', auth: { password: 'hunter2' } } },
      { field: 'hooks', before: [{ name: 'one', api_key: 'key-one' }], after: [{ name: 'one', api_key: 'key-two' }, { deep: [{ client_secret: 'key-three' }] }] },
      { field: 'owner', before: { token: 'old-token', team: 'a' }, after: { token: 'new-token', team: 'b' } },
    ],
  }]);
  const { page } = await log('?filter=action%3Awebhook.updated', { tenant: 'secrets' });
  await rows(page).first().click();
  const diff = page.locator('recount-event-detail .diff');
  await diff.waitFor();
  const html = await diff.evaluate((element) => element.outerHTML);
  assert.doesNotMatch(html, /hunter2|key-one|key-two|key-three|old-token|new-token/);
  assert.match(await diff.innerText(), /a\.example[^]*••••••/);
  assert.match(await diff.innerText(), /owner\.team/);
  assert.match(await page.locator('recount-event-detail h2').innerText(), /Mal⟨U\+200F⟩⟨U\+061C⟩lory⟨U\+200E⟩/);
});

behaviour('14. related events are one click away', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  await rows(page).first().click();
  await page.getByRole('tab', { name: 'Related' }).click();
  await page.locator('recount-event-detail .near li').first().waitFor();
  for (const title of ['Same actor, 10 minutes around', 'Same target', 'Same request']) await page.getByRole('heading', { name: new RegExp(title) }).waitFor();
  await page.getByRole('button', { name: 'Show in list' }).first().click();
  await eventually(() => view(page).get('filter'), (text) => /^actor:/.test(text));
  const [from, to] = view(page).get('time').split('..').map(Date.parse);
  assert.equal(to - from, 20 * 60_000);
});

behaviour('14. how many events are related stands at their tab before it is opened', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  await rows(page).first().click();
  const tab = page.getByRole('tab', { name: 'Related' });
  await eventually(() => tab.innerText(), (text) => /^Related \d+\+?$/.test(text));
  const told = await tab.innerText();
  await tab.click();
  // Once an event in each list it is in; "+" where a list goes on.
  const listed = await page.locator('recount-event-detail .near li').count();
  assert.ok(parseInt(told.slice(8), 10) <= listed || told.endsWith('+'), `${told} of ${listed}`);
});

behaviour('12. an event’s place reads from its number to the count, also where pages read from right to left', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated&time=90d', { session: { locale: 'ar' } });
  await page.locator('recount-status-line strong').waitFor();
  await rows(page).nth(1).click();
  const place = page.locator('recount-event-detail .bar .clip');
  await eventually(() => place.innerText(), (text) => /\d of /.test(text) || /[٢2] of /.test(text));
  const [number, of, count] = await place.evaluate((element) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (text.nextNode() && !text.currentNode.data.trim());
    const node = text.currentNode;
    return [...node.data.matchAll(/\S+/g)].map((word) => {
      const range = new Range();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      return range.getBoundingClientRect().x;
    });
  });
  assert.ok(number < of && of < count, `the words stand at ${[number, of, count]}`);
});

behaviour('15. a copied link opens its event, also outside of the filter', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  await rows(page).nth(3).click();
  const detail = page.locator('recount-event-detail');
  const title = await detail.locator('h2').innerText();
  await detail.getByRole('button', { name: 'Copy link' }).click();
  await detail.getByRole('button', { name: 'Copied' }).waitFor();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  const same = await log(link.search);
  assert.equal(await same.page.locator('recount-event-detail h2').innerText(), title);
  link.searchParams.set('filter', 'action:project.deleted');
  link.searchParams.set('time', 'all');
  const outside = await log(link.search);
  await outside.page.locator('recount-event-detail h2').waitFor();
  assert.equal(await outside.page.locator('recount-event-detail h2').innerText(), title);
  assert.ok((await column(outside.page, 'action')).every((action) => action === 'project.deleted'));
  const old = world.events[10];
  const far = await log(`?event=${old.id}`);
  await far.page.locator('recount-event-detail h2').waitFor();
  const gone = await log('?event=no-such-event');
  await gone.page.getByRole('heading', { name: 'No such event' }).waitFor();
});

behaviour('12. what changed, who and what come first; the menus of values show where one points or stands', async ({ log }) => {
  const { page } = await log('?filter=action%3Aproject.deleted');
  await rows(page).first().click();
  const detail = page.locator('recount-event-detail');
  await detail.locator('h2').waitFor();
  const titles = await detail.locator('h3').allInnerTexts();
  assert.deepEqual(titles.slice(0, 2), ['Who and where', 'What']);
  assert.equal(titles.at(-1), 'Record');
  const pick = detail.getByRole('button', { name: /Filter or copy 203\./ });
  const opacity = () => pick.evaluate((element) => getComputedStyle(element).opacity);
  assert.equal(await opacity(), '0');
  await detail.getByText('IP address').hover();
  assert.equal(await opacity(), '1');
  await page.mouse.move(0, 0);
  await pick.focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  assert.equal(await opacity(), '1');
});
