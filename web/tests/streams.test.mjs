/** Behaviours 20 and 21: setting a stream up, and seeing how it fares. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { behaviour, eventually } from './support/world.mjs';

/** A receiver that answers as told and keeps what it got. */
async function receiver() {
  const state = { status: 200, body: '{"ok":true}', requests: [] };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data)).on('end', () => {
      state.requests.push({ method: request.method, url: request.url, headers: request.headers, body });
      response.writeHead(state.status, { 'content-type': 'application/json' }).end(state.body);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  return { state, url: `http://127.0.0.1:${server.address().port}/hook`, stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

const tenant = { tenant: `streaming-${Date.now()}`, session: { actor: { type: 'user', id: 'u_ops', name: 'Ops' } } };

behaviour('20. a stream is chosen, set up, tested for real and enabled; its secret is shown once', async ({ portal, server }) => {
  const hook = await receiver();
  await server.append([1, 2, 3].map((n) => ({ tenant: tenant.tenant, occurred_at: new Date().toISOString(), action: 'thing.happened', actor: { type: 'user', id: `u_${n}` } })));
  const { page } = await portal('/streams', tenant);
  await page.getByRole('heading', { name: 'Where should events go?' }).waitFor();
  await page.getByRole('button', { name: /Webhook/ }).click();
  await page.getByRole('textbox', { name: /^Name/ }).fill('Ops hook');
  await page.getByRole('textbox', { name: /^Address/ }).fill('http://10.1.2.3/hook');
  await page.getByRole('radio', { name: 'with the first event of the log' }).check();
  await page.getByRole('button', { name: 'Create and test' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByRole('textbox', { name: /^Address/ }).fill(hook.url);
  await page.getByRole('button', { name: 'Create and test' }).click();
  const secret = await page.locator('recount-stream-form pre').innerText();
  assert.match(secret, /^whsec_/);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Ops hook' }).waitFor();
  const enable = page.getByRole('button', { name: 'Enable', exact: true });
  assert.ok(await enable.isDisabled(), 'not before a test has passed');
  hook.state.status = 401;
  hook.state.body = '{"error":"who are you"}';
  await page.getByRole('button', { name: 'Send test event' }).click();
  await page.getByText('The destination did not accept the test event.').waitFor();
  assert.match(await page.locator('recount-stream-detail .stack').first().innerText(), /401[^]*who are you/);
  assert.ok(await enable.isDisabled());
  hook.state.status = 200;
  hook.state.body = '{"ok":true}';
  await page.getByRole('button', { name: 'Send test event' }).click();
  await page.getByText('The destination accepted the test event.').waitFor();
  assert.match(await page.locator('recount-stream-detail .note.good').innerText(), /200.*\d+ ms/s);
  assert.ok(hook.state.requests.some(({ headers }) => headers['webhook-signature']));
  await enable.click();
  await eventually(() => hook.state.requests.map(({ body }) => body).join(''), (text) => /thing\.happened/.test(text));
  await page.reload();
  await page.getByRole('heading', { name: 'Ops hook' }).waitFor();
  assert.doesNotMatch(await page.locator('recount-streams').evaluate((element) => element.shadowRoot.textContent), /whsec_/);
  const { data } = await server.must('GET', `/v1/events?tenant=${tenant.tenant}&filter=${encodeURIComponent('action:recount.stream.*')}`);
  assert.ok(data.length >= 2, 'changes of streams are in the log');
  await hook.stop();
});

behaviour('20. S3 with a key: the test’s object arrives in the bucket, and the key is never shown again', async ({ portal, server }) => {
  const bucket = await receiver();
  const { page } = await portal('/streams?add=s3', tenant);
  await page.getByRole('textbox', { name: /^Name/ }).fill('Archive');
  await page.getByRole('textbox', { name: /^Bucket/ }).fill('acme-audit');
  await page.getByRole('textbox', { name: /^Endpoint/ }).fill(new URL(bucket.url).origin);
  await page.getByRole('textbox', { name: /^Access key id/ }).fill('AKIAEXAMPLE');
  await page.getByLabel(/^Secret access key/).fill('a-secret-that-nobody-sees');
  await page.getByRole('button', { name: 'Create and test' }).click();
  await page.getByRole('heading', { name: 'Archive' }).waitFor();
  await page.getByRole('button', { name: 'Send test event' }).click();
  await page.getByText('The destination accepted the test event.').waitFor();
  const put = bucket.state.requests.find(({ method }) => method === 'PUT');
  assert.match(put.url, /^\/acme-audit\/recount\//);
  assert.match(put.headers.authorization, /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\//);
  await page.reload();
  await page.getByRole('heading', { name: 'Archive' }).waitFor();
  assert.doesNotMatch(await page.locator('recount-stream-detail').evaluate((element) => element.shadowRoot.textContent), /a-secret-that/);
  await bucket.stop();
});

behaviour('20. Security Lake: the role’s external id is shown before anything is made, and is this tenant’s own', async ({ portal, server }) => {
  const { page } = await portal('/streams?add=', tenant);
  await page.getByRole('button', { name: /Security Lake/ }).click();
  const shown = await page.locator('recount-stream-form .assigned code').innerText();
  const { token } = await server.session(tenant.tenant);
  const { data } = await server.must('GET', '/v1/streams/destinations', undefined, token);
  assert.equal(shown, data.find(({ type }) => type === 's3').assigned.external_id);
  const { token: foreign } = await server.session('contoso');
  const others = await server.must('GET', '/v1/streams/destinations', undefined, foreign);
  assert.notEqual(others.data.find(({ type }) => type === 's3').assigned.external_id, shown);
  await page.getByRole('textbox', { name: /^Bucket/ }).fill('aws-security-data-lake-eu-central-1-abc');
  await page.getByRole('textbox', { name: /^Region/ }).fill('eu-central-1');
  await page.getByRole('textbox', { name: /^Custom source/ }).fill('recount');
  await page.getByRole('textbox', { name: /^Account of the events/ }).fill('123456789012');
  await page.getByRole('textbox', { name: /^Role to assume/ }).fill('arn:aws:iam::123456789012:role/AmazonSecurityLake-Provider-recount-eu-central-1');
  await page.getByRole('button', { name: 'Create and test' }).click();
  await page.locator('recount-stream-detail h1').waitFor();
  const { data: streams } = await server.must('GET', '/v1/streams', undefined, token);
  const { destination, format } = streams.find((stream) => stream.destination.layout === 'security_lake');
  assert.equal(destination.external_id, shown);
  assert.equal(destination.file, 'parquet');
  assert.match(format, /^ocsf/);
  await page.locator('recount-stream-detail').getByText(/Amazon Security Lake/).first().waitFor();
});

behaviour('20. any HTTPS collector: its header is sent and kept secret', async ({ portal }) => {
  const collector = await receiver();
  const { page } = await portal('/streams?add=https', tenant);
  await page.getByRole('textbox', { name: /^Name/ }).fill('Collector');
  await page.getByRole('textbox', { name: /^Address/ }).fill(collector.url);
  await page.getByLabel(/^Authorization header/).fill('Bearer hidden-token');
  await page.getByRole('button', { name: 'Create and test' }).click();
  await page.getByRole('heading', { name: 'Collector' }).waitFor();
  await page.getByRole('button', { name: 'Send test event' }).click();
  await page.getByText('The destination accepted the test event.').waitFor();
  assert.equal(collector.state.requests.at(-1).headers.authorization, 'Bearer hidden-token');
  assert.doesNotMatch(await page.locator('recount-stream-detail').evaluate((element) => element.shadowRoot.textContent), /hidden-token/);
  await collector.stop();
});

behaviour('20. a collector that takes an array of one envelope gets it, set up in either language', async ({ portal, server }) => {
  const collector = await receiver();
  const WORDS = {
    en: { name: /^Name/, address: /^Address/, body: 'Body', envelope: /^Envelope/, array: 'Put the envelope into an array of its own', compression: 'Compression', create: 'Create and test', test: 'Send test event', accepted: 'The destination accepted the test event.' },
    fr: { name: /^Nom/, address: /^Adresse/, body: 'Corps', envelope: /^Enveloppe/, array: 'Mettre l’enveloppe elle-même dans un tableau', compression: 'Compression', create: 'Créer et tester', test: 'Envoyer un événement de test', accepted: 'La destination a accepté l’événement de test.' },
  };
  for (const [locale, words] of Object.entries(WORDS)) {
    const { page } = await portal('/streams?add=https', { ...tenant, session: { ...tenant.session, locale } });
    await page.getByRole('textbox', { name: words.name }).fill(`Enveloped ${locale}`);
    await page.getByRole('textbox', { name: words.address }).fill(collector.url);
    await page.getByLabel(words.body).selectOption('array');
    await page.getByRole('textbox', { name: words.envelope }).fill('logs');
    await page.getByRole('checkbox', { name: words.array }).check();
    await page.getByLabel(words.compression).selectOption('none');
    await page.getByRole('button', { name: words.create }).click();
    await page.getByRole('heading', { name: `Enveloped ${locale}` }).waitFor();
    await page.getByRole('button', { name: words.test }).click();
    await page.getByText(words.accepted).waitFor();
    const [envelope, ...others] = JSON.parse(collector.state.requests.at(-1).body);
    assert.deepEqual([Object.keys(envelope), envelope.logs.length, others], [['logs'], 1, []]);
  }
  const { token } = await server.session(tenant.tenant);
  const { data } = await server.must('GET', '/v1/streams', undefined, token);
  const plain = await server.must('POST', '/v1/streams', { name: 'Plain', destination: { type: 'https', url: collector.url }, format: 'recount', filter: '', start: 'now' }, token);
  assert.ok(data.filter(({ name }) => name.startsWith('Enveloped')).every(({ destination }) => destination.envelope_in_array));
  assert.ok(!plain.destination.envelope_in_array, 'not unless asked for');
  await collector.stop();
});

behaviour('20. enabling without a passed test is possible, said and recorded', async ({ portal, server }) => {
  const { page } = await portal('/streams?add=webhook', tenant);
  await page.getByRole('textbox', { name: /^Name/ }).fill('Untested');
  await page.getByRole('textbox', { name: /^Address/ }).fill('https://example.com/hook');
  await page.getByRole('button', { name: 'Create and test' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Enable anyway' }).click();
  await page.locator('#override').getByRole('button', { name: 'Enable anyway' }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  const { data } = await server.must('GET', `/v1/events?tenant=${tenant.tenant}&limit=100&filter=${encodeURIComponent('action:recount.stream.*')}`);
  assert.match(JSON.stringify(data), /without/i);
  await page.getByRole('button', { name: 'Delete' }).first().click();
  await page.locator('#delete').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'Streams', level: 1 }).waitFor();
});

behaviour('21. a failing stream says so in the navigation and in its own words, recovers, and replays', async ({ portal, server }) => {
  const hook = await receiver();
  const one = { ...tenant, tenant: `${tenant.tenant}-21` };
  const event = (action) => ({ tenant: one.tenant, occurred_at: new Date().toISOString(), action, actor: { type: 'user', id: 'u' } });
  await server.append([event('first.thing')]);
  await server.must('PATCH', `/v1/tenants/${one.tenant}`, { retention_days: 90 });
  const { token } = await server.session(one.tenant);
  const stream = await server.must('POST', '/v1/streams', { name: 'Shaky', destination: { type: 'webhook', url: hook.url }, format: 'recount', filter: '', start: 'beginning' }, token);
  await server.must('POST', `/v1/streams/${stream.id}/test`, {}, token);
  await server.must('POST', `/v1/streams/${stream.id}/enable`, {}, token);
  await eventually(() => hook.state.requests.map(({ body }) => body).join(''), (text) => /first\.thing/.test(text));
  hook.state.status = 500;
  hook.state.body = 'database on fire';
  await server.append([event('second.thing')]);
  await eventually(() => server.must('GET', `/v1/streams/${stream.id}`, undefined, token).then(({ health }) => health), 'unhealthy');
  const { page } = await portal('/streams', one);
  await page.getByText('Failing').first().waitFor();
  assert.match(await page.getByRole('link', { name: /Streams/ }).innerText(), /1/);
  await page.getByRole('button', { name: 'Shaky' }).click();
  await page.getByRole('heading', { name: 'Last error' }).waitFor();
  const text = await page.locator('recount-stream-detail .stack').first().innerText();
  assert.match(text, /500/);
  assert.match(text, /[1-9]\d* events?/);
  const { lag } = await server.must('GET', `/v1/streams/${stream.id}`, undefined, token);
  const kept = Math.round((Date.parse(lag.cut_off_at) - Date.now()) / 86_400_000);
  assert.ok(kept === 90 || kept === 91, `removed after ${kept} days`);
  const until = page.locator('.facts div', { hasText: 'Kept until' }).locator('time');
  assert.equal(Date.parse(await until.getAttribute('datetime')), Date.parse(lag.cut_off_at));
  await page.getByRole('heading', { name: 'Attempts' }).waitFor();
  await page.locator('details summary').first().click();
  assert.match(await page.locator('details pre').allInnerTexts().then((all) => all.join('\n')), /database on fire|POST/);
  hook.state.status = 200;
  await eventually(() => hook.state.requests.map(({ body }) => body).join(''), (body) => /second\.thing/.test(body));
  await page.getByText(/Healthy|Recovering/).first().waitFor({ timeout: 90_000 });
  const before = hook.state.requests.length;
  await page.getByRole('button', { name: 'Replay from…' }).click();
  await page.locator('#replay input').fill(new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 16));
  await page.locator('#replay').getByRole('button', { name: 'Replay' }).click();
  await eventually(() => hook.state.requests.slice(before).map(({ body }) => body).join(''), (body) => /first\.thing/.test(body));
  await hook.stop();
}, { timeout: 300_000 });
