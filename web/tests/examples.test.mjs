/** The example hosts, as a reader of the embedding guide would start them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './support/server.mjs';
import { behaviour, column, eventually, rows } from './support/world.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const HOSTS = {
  Node: [process.execPath, path.join(root, 'examples/node-host/server.mjs')],
  Rust: [process.env.RECOUNT_EXAMPLE_BIN ?? path.join(root, 'target/debug/recount-example-host')],
};

for (const [name, [command, ...args]] of Object.entries(HOSTS)) {
  behaviour(`the example host in ${name} embeds the log under its strict policy, and opens the portal by a link`, async ({ page: open, server }) => {
    assert.ok(existsSync(command), `${command} is missing: cargo build -p recount-example-host`);
    const { key } = await server.must('POST', '/v1/keys', { name: 'my backend', scopes: ['sessions:create'] });
    const port = await freePort();
    const child = spawn(command, args, { env: { PATH: process.env.PATH, PORT: String(port), RECOUNT_SERVER: server.url, RECOUNT_KEY: key }, stdio: 'inherit' });
    try {
      const origin = `http://localhost:${port}`;
      await eventually(() => fetch(origin).then(({ ok }) => ok, () => false), true);
      const { page } = await open();
      await page.goto(origin);
      await rows(page).first().waitFor();
      const input = page.getByRole('combobox', { name: 'Filter events' });
      await input.fill('outcome:denied');
      await input.press('Enter');
      await eventually(() => column(page, 'outcome').then((all) => all.length > 0 && all.every((text) => text === 'Denied')), true);
      await rows(page).first().click();
      await page.locator('recount-event-detail h2').waitFor();
      await eventually(() => page.title(), (title) => /· Acme Projects$/.test(title));
      await page.getByRole('link', { name: /own window/ }).click();
      await page.waitForURL(`${server.url}/portal`);
      await rows(page).first().waitFor();
      assert.equal((await fetch(`${origin}/recount-session`, { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
    } finally {
      child.kill();
    }
  });
}
