/** Behaviours 1 to 5: the address, the filter, the time field. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { behaviour, column, eventually, NOW, rows, view } from './support/world.mjs';

behaviour('1. the address holds the whole view; another browser shows the same; Back undoes one step', async ({ log }) => {
  const { page } = await log();
  await page.keyboard.press('/');
  await page.keyboard.type('action:role.updated');
  await page.keyboard.press('Enter');
  await eventually(() => column(page, 'action').then((all) => all.every((text) => text === 'role.updated')), true);
  await page.getByRole('button', { name: 'UTC', exact: true }).click();
  await page.getByRole('button', { name: /^Time/ }).click();
  await eventually(() => view(page).get('order'), 'asc');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'IP address' }).check();
  await page.keyboard.press('Escape');
  await rows(page).nth(2).click();
  await page.locator('recount-event-detail h2').waitFor();
  const params = view(page);
  assert.equal(params.get('filter'), 'action:role.updated');
  assert.equal(params.get('zone'), 'UTC');
  assert.match(params.get('cols'), /ip/);
  const opened = params.get('event');
  assert.ok(opened);
  const title = await page.locator('recount-event-detail h2').innerText();
  const times = await column(page, 'time');

  const second = await log(new URL(page.url()).search);
  assert.equal(await second.page.locator('recount-event-detail h2').innerText(), title);
  assert.deepEqual((await column(second.page, 'time')).slice(0, 10), times.slice(0, 10));
  await page.reload();
  await page.locator('recount-event-detail h2').waitFor();
  assert.equal(await page.locator('recount-event-detail h2').innerText(), title);

  await page.goBack();
  await eventually(() => view(page).get('event'), null);
  await page.goBack();
  await eventually(() => view(page).get('cols'), null);
  await page.goBack();
  await eventually(() => view(page).get('order'), null);
  await page.goBack();
  await eventually(() => view(page).get('zone'), null);
  assert.equal(view(page).get('filter'), 'action:role.updated');
});

behaviour('2. slash focuses the filter, words suggest fields, values come with counts, Backspace removes the last chip', async ({ log }) => {
  const { page } = await log();
  await page.keyboard.press('/');
  await page.keyboard.type('act');
  await page.getByRole('option', { name: /^actor is/ }).first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await page.getByRole('combobox', { name: 'Filter events' }).inputValue(), 'actor:');
  const option = page.getByRole('option').first();
  await option.waitFor();
  await eventually(() => option.innerText(), (text) => /\d/.test(text));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.chip').waitFor();
  assert.match(view(page).get('filter'), /^actor:\S+$/);
  const combobox = page.getByRole('combobox', { name: 'Filter events' });
  assert.equal(await combobox.inputValue(), '');
  await combobox.press('Backspace');
  await eventually(() => page.locator('.chip').count(), 0);
});

behaviour('3. chips switch between is and is not, hold several values, take pasted filters and underline mistakes', async ({ log, server }) => {
  const { page } = await log();
  const input = page.getByRole('combobox', { name: 'Filter events' });
  await page.evaluate(() => navigator.clipboard.writeText('actor:u_1,u_2 -action:user.login ip:203.0.113.0/24 billing'));
  await input.focus();
  await page.keyboard.press('Control+V');
  await eventually(() => page.locator('.chip').count(), 4);
  assert.equal(view(page).get('filter'), 'actor:u_1,u_2 -action:user.login ip:203.0.113.0/24 billing');
  await page.locator('.chip').nth(1).getByRole('button', { name: 'action is not', exact: true }).click();
  await eventually(() => view(page).get('filter'), 'actor:u_1,u_2 action:user.login ip:203.0.113.0/24 billing');
  const { json } = await server.must('GET', `/v1/events?tenant=northwind&limit=1&filter=${encodeURIComponent('ip:203.0.113.0/24')}`).then((json) => ({ json }));
  assert.equal(json.data.length, 1);
  for (let i = 0; i < 4; i++) await page.locator('.chip .remove').first().click();
  await eventually(() => page.locator('.chip').count(), 0);
  await input.fill('colour:red');
  await input.press('Enter');
  assert.equal(await page.locator('mark').innerText(), 'colour:red');
  assert.match(await page.getByRole('alert').innerText(), /names no field/);
  assert.equal(await input.getAttribute('aria-invalid'), 'true');
  await input.fill('');
  // What only the server can know is wrong is shown at its chip.
  await input.fill('ip:999.1.1.1');
  await input.press('Enter');
  await page.locator('.chip.refused').waitFor();
  assert.match(await page.getByRole('alert').first().innerText(), /ip|address/i);
});

/** The names in the server's own table, each with the field it stands for. */
const serverNames = [...readFileSync(new URL('../../crates/recount-event/src/filter/names.rs', import.meta.url), 'utf8')
  .matchAll(/^ +("[^=]*") => Field::(\w+)/gm)].flatMap(([, names, field]) => [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => [name, field]));

behaviour('3. every name of a field that the server takes is a chip, whatever its case; what is none stays a text', async ({ portal }) => {
  assert.ok(serverNames.length > 60, `${serverNames.length} names`);
  const labels = new Map();
  for (let at = 0; at < serverNames.length; at += 40) {
    const some = serverNames.slice(at, at + 40);
    const { page } = await portal(`?filter=${encodeURIComponent(some.map(([name], i) => `${i % 2 ? name : name.toUpperCase()}:x`).join(' '))}`);
    const shown = await eventually(() => page.locator('.chip .op').allInnerTexts(), (all) => all.length === some.length);
    // All names of one field are called the same.
    some.forEach(([name, field], i) => {
      assert.doesNotMatch(shown[i], /^with/, name);
      assert.equal(labels.get(field) ?? shown[i], shown[i], name);
      labels.set(field, shown[i]);
    });
  }
  assert.equal(new Set(labels.values()).size, labels.size, 'different fields are called differently');

  const odd = 'Meta.plan:pro Tag.severity:low metadata."cost center":4711 colour:red "open';
  const { page } = await portal(`?filter=${encodeURIComponent(odd)}`);
  assert.deepEqual(await eventually(() => page.locator('.chip').allInnerTexts().then((all) => all.map((text) => text.replace(/\s+/g, ' '))), (all) => all.length === 5),
    ['metadata.plan is pro', 'tags.severity is low', 'metadata."cost center" is 4711', 'with colour:red', 'with open']);
  await page.locator('.chip .remove').first().click();
  await eventually(() => view(page).get('filter'), 'tags.severity:low metadata."cost center":4711 colour:red "open');
});

behaviour('4. filtering for a value narrows what is asked of its field', async ({ log }) => {
  const { page } = await log('?filter=actor%3Auser%2Fu_1%2Cuser%2Fu_2%20action%3Arole.*%2Cproject.deleted');
  const actors = await column(page, 'actor');
  assert.ok(new Set(actors).size > 1);
  const cell = rows(page).first().locator('.cell.actor');
  await cell.hover();
  await cell.locator('.pick').click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => view(page).get('filter'), (text) => /^action:role\.\*,project\.deleted actor:user\/u_\d$/.test(text));
  await eventually(() => column(page, 'actor').then((all) => all.length && new Set(all).size), 1);
  const action = rows(page).first().locator('.cell.action');
  const name = (await action.innerText()).trim();
  await action.hover();
  await action.locator('.pick').click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => view(page).get('filter'), (text) => text.endsWith(`action:${name}`) && !text.includes('role.*'));
  // What is filtered out adds up.
  const { page: other } = await log('?filter=-action%3Auser.login&time=7d');
  const next = rows(other).first().locator('.cell.action');
  const out = (await next.innerText()).trim();
  await next.hover();
  await next.locator('.pick').click();
  await other.getByRole('button', { name: /^Filter out/ }).click();
  await eventually(() => view(other).get('filter'), `-action:user.login,${out}`);

  const { page: bad } = await log('?filter=outcome%3Adenied%2Cfailure');
  await bad.getByRole('button', { name: /\d denied/ }).click();
  await eventually(() => view(bad).get('filter'), 'outcome:denied');
});

behaviour('4. every value of an event has its menu, also those that no field names', async ({ log, server }) => {
  const at = (seconds) => new Date(NOW - seconds * 1000).toISOString();
  const tenant = 'values';
  await server.append([
    { id: 'v-1', tenant, occurred_at: at(60), action: 'role.updated', description: 'Ada raised the limit', reason: 'Ticket OPS-42', actor: { type: 'user', id: 'u_1', name: 'Ada', metadata: { team: 'Payments', admin: true } },
      targets: [{ type: 'role', id: 'r_1', metadata: { scope: 'Europe' } }], context: { ip: '203.0.113.9' }, changes: [{ field: 'limit', before: 500, after: 25000 }],
      metadata: { regions: ['eu', 'us'], steps: [{ name: 'review' }, { name: 'merge' }] } },
    { id: 'v-2', tenant, occurred_at: at(120), action: 'role.viewed', actor: { type: 'user', id: 'u_2', name: 'Grace' } },
  ]);
  const { page } = await log('?cols=time,action,description,metadata.regions', { tenant });
  const open = async () => {
    await rows(page).filter({ hasText: 'role.updated' }).click();
    await page.locator('recount-event-detail h2').waitFor();
  };
  await open();
  const detail = page.locator('recount-event-detail');
  const wanted = [
    ['Ticket OPS-42', 'reason:"Ticket OPS-42"'], ['Payments', 'Payments'], ['Europe', 'Europe'], ['25000', '25000'], ['limit', 'change:limit'],
    ['eu', 'metadata.regions:eu'], ['us', 'metadata.regions:us'], ['merge', 'metadata.steps.name:merge'],
  ];
  for (const [value, filter] of wanted) {
    const pick = detail.getByRole('button', { name: `Filter or copy ${value}`, exact: true });
    await pick.focus();
    await pick.press('Enter');
    await page.getByRole('button', { name: /^Filter for this/ }).click();
    await eventually(() => view(page).get('filter'), filter);
    await eventually(() => column(page, 'action'), ['role.updated']);
    await page.goBack();
    await eventually(() => view(page).get('filter'), null);
    await eventually(() => column(page, 'action').then((all) => all.includes('role.viewed')), true);
  }
  // What the language can't look for is copied only.
  for (const value of ['true', /^\d{4}-.*T.*\+0[12]:00$/]) {
    await detail.getByRole('button', { name: typeof value === 'string' ? `Filter or copy ${value}` : /Filter or copy \d{4}-\d\d-\d\dT/ }).last().press('Enter');
    await page.getByRole('button', { name: /^Copy value/ }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Filter for this/ }).count(), 0);
    await page.keyboard.press('y');
    await eventually(() => page.evaluate(() => navigator.clipboard.readText()), (text) => (typeof value === 'string' ? text === value : value.test(text)));
  }
  await page.keyboard.press('Escape');
  await eventually(() => detail.count(), 0);
  const described = rows(page).filter({ hasText: 'role.updated' }).locator('.cell.description');
  await described.hover();
  await described.locator('.pick').click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => view(page).get('filter'), 'description:"Ada raised the limit"');
  await page.goBack();
  // A time asks for what came since or until then, and the way back is kept.
  const time = rows(page).filter({ hasText: 'role.updated' }).locator('.cell.time');
  await time.hover();
  await time.locator('.pick').click();
  await page.getByRole('button', { name: /^Until then/ }).click();
  await eventually(() => view(page).get('time'), (text) => text?.endsWith(`..${new Date(NOW - 60_000 + 1).toISOString()}`));
  await eventually(() => column(page, 'action').then((all) => all.slice(0, 2)), ['role.updated', 'role.viewed']);
  await page.getByRole('button', { name: /Zoom out/ }).click();
  await eventually(() => view(page).get('time'), null);
});

behaviour('4. on a touch screen too', async ({ log }) => {
  const { page } = await log('', { browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } });
  await rows(page).nth(1).locator('.cell.actor .pick').tap();
  await page.getByRole('button', { name: /^Filter for this/ }).tap();
  await eventually(() => view(page).get('filter'), (text) => /^actor:/.test(text));
});

behaviour('1. a link that names what there is not shows the rest', async ({ portal }) => {
  for (const query of ['?filter=toString%3Ax', '?filter=constructor%3Ax%20__proto__%3Ay', '?cols=constructor,time,toString', '?zone=Mars', '?zone=%2B05%3A00', '?time=constructor', '?cols=']) {
    const { page } = await portal(query);
    await page.locator('recount-event-table, recount-problem, recount-no-match').first().waitFor();
    if (!query.includes('filter')) await rows(page).first().waitFor();
    else await page.locator('.chip.refused').first().waitFor();
  }
});

behaviour('4. every value can be filtered for, filtered out and copied, by mouse and by keyboard', async ({ log }) => {
  const { page } = await log('?filter=action%3Arole.updated');
  const cell = rows(page).first().locator('.cell.actor');
  await cell.hover();
  await cell.locator('.pick').click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => view(page).get('filter'), (text) => /actor:/.test(text));
  await eventually(() => page.locator('.chip').count(), 2);
  await rows(page).first().waitFor();
  await rows(page).first().focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('y');
  const copied = await eventually(() => page.evaluate(() => navigator.clipboard.readText()), (text) => text.startsWith('role/'));
  await page.keyboard.press('x');
  await eventually(() => view(page).get('filter'), (text) => text.includes(`-target:${copied}`));
  await rows(page).first().click();
  const detail = page.locator('recount-event-detail');
  await detail.getByRole('button', { name: /Filter or copy 203\./ }).click();
  await page.getByRole('button', { name: /^Filter for this/ }).click();
  await eventually(() => view(page).get('filter'), (text) => /ip:203\.0\.113\./.test(text));
});

behaviour('5. the time field takes shorthand and dates, explains mistakes, and the range is always in view', async ({ log }) => {
  const { page } = await log();
  const button = page.locator('recount-time-field button').first();
  assert.match(await button.innerText(), /Last 30 days/);
  const set = async (text) => {
    await button.click();
    await page.locator('#typed').fill(text);
    await page.locator('#typed').press('Enter');
  };
  for (const [typed, label] of [['15m', /15 minutes/], ['7d', /7 days/], ['yesterday', /Yesterday/], ['36h', /36 hours/], ['all', /All time/]]) {
    await set(typed);
    await eventually(() => button.innerText(), (text) => label.test(text));
    assert.equal(view(page).get('time') ?? '30d', typed);
  }
  const day = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  await set(`${day(20)}..${day(14)}`);
  await eventually(() => view(page).get('time'), `${day(20)}..${day(14)}`);
  await rows(page).first().waitFor();
  await set(`${day(3)}..${day(9)}`);
  assert.match(await page.locator('#why').innerText(), /ends before it starts/);
  await page.locator('#typed').fill('someday');
  await page.locator('#typed').press('Enter');
  assert.match(await page.locator('#why').innerText(), /Not a range/);
  await page.getByRole('button', { name: 'Last 24 hours' }).click();
  await eventually(() => view(page).get('time'), '24h');
});
