/** Behaviours 1 to 5: the address, the filter, the time field. */
import assert from 'node:assert/strict';
import { behaviour, column, eventually, rows, view } from './support/world.mjs';

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
