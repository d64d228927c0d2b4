/**
 * `cargo xtask bench portal`: what a person waits for, measured in Chromium against a server with
 * 100,000 events, and written into docs/benchmarks.md. RECOUNT_BIN names the server's program.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { browser, closeBrowser, freshPage } from '../tests/support/browser.mjs';
import { northwind } from '../tests/support/events.mjs';
import { startServer } from '../tests/support/server.mjs';

const EVENTS = Number(process.env.RECOUNT_BENCH_EVENTS ?? 100_000);
const COLD_LOADS = Number(process.env.RECOUNT_BENCH_LOADS ?? 20);
const LIVE_EVENTS = 10;
const SCROLL_FRAMES = 600;
const SCROLL_PX = 90;
const TYPED = 'actor:ada document report billing';
const DOCS = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];
const percentile = (values, part) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * part))];
const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** Runs in the page from its beginning: notes when things are first there, and what blocks. */
function observe() {
  const log = () => document.querySelector('recount-portal')?.shadowRoot?.querySelector('recount-log')?.shadowRoot;
  const inside = (name, what) => log()?.querySelector(name)?.shadowRoot?.querySelector(what);
  window.seen = {};
  window.longest = 0;
  window.handled = [0];
  const look = () => {
    if (inside('recount-event-table', '[data-row]')) window.seen.rows ??= performance.now();
    if (inside('recount-histogram', 'rect.bar') && inside('recount-status-line', 'strong')) window.seen.counts ??= performance.now();
    if (!window.seen.counts || !window.seen.rows) requestAnimationFrame(look);
  };
  look();
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration); }).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const { name, processingStart, processingEnd } of list.getEntries()) if (/key|input/.test(name)) window.handled.push(processingEnd - processingStart);
  }).observe({ type: 'event', durationThreshold: 16 });
}

async function coldLoad(server) {
  const { page, context } = await freshPage();
  await page.addInitScript(observe);
  await page.goto((await server.session('northwind')).url, { waitUntil: 'commit' });
  await page.waitForFunction(() => window.seen.rows && window.seen.counts, undefined, { polling: 50, timeout: 60_000 });
  const seen = await page.evaluate(() => window.seen);
  return { ...seen, page, close: () => context.close() };
}

async function typing(page) {
  await page.keyboard.press('/');
  await page.evaluate(() => { window.longest = 0; window.handled = [0]; });
  await page.keyboard.type(TYPED, { delay: 40 });
  await page.waitForTimeout(500); // the observers report behind the frames
  return page.evaluate(() => ({ longest: window.longest, handled: Math.max(...window.handled) }));
}

/** From the answer to an event that was sent to its row in a list that is followed live. */
async function following(page) {
  await page.getByRole('button', { name: 'Live' }).click();
  await page.locator('.live.on').waitFor();
  const times = [];
  for (let n = 0; n < LIVE_EVENTS; n++) {
    const name = `Live ${n}.`;
    await server.append([{ tenant: 'northwind', occurred_at: new Date().toISOString(), action: 'bench.live', actor: { type: 'user', id: 'live', name } }]);
    const start = performance.now();
    await page.locator('[data-row]').filter({ hasText: name }).waitFor();
    times.push(performance.now() - start);
  }
  return times;
}

async function scrolling(page) {
  await page.keyboard.press('Escape');
  return page.evaluate(async ({ frames, px }) => {
    const table = document.querySelector('recount-portal').shadowRoot.querySelector('recount-log').shadowRoot.querySelector('recount-event-table');
    const scroller = table.shadowRoot.querySelector('.scroller');
    const times = [];
    for (let frame = 0, last = performance.now(); frame < frames; frame++) {
      scroller.scrollTop += px;
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      last = now;
    }
    return times.slice(1);
  }, { frames: SCROLL_FRAMES, px: SCROLL_PX });
}

const server = await startServer();
try {
  await server.append(northwind(EVENTS, Math.floor(Date.now() / 60_000) * 60_000));
  await coldLoad(server).then(({ close }) => close()); // the server's own first time
  const loads = [];
  let last;
  for (let n = 0; n < COLD_LOADS; n++) {
    await last?.close();
    last = await coldLoad(server);
    loads.push(last);
  }
  const typed = await typing(last.page);
  const followed = await following(last.page);
  const frames = await scrolling(last.page);
  const column = (name) => loads.map((load) => load[name]);
  const text = `${COLD_LOADS} loads of the hosted portal with an empty cache, over loopback, of a tenant with ${EVENTS.toLocaleString('en')} events; Chromium ${(await browser()).version()} without a GPU, 1440 × 900. ${cpus()[0].model.trim()}, ${availableParallelism()} cores.

| | median | largest | aim |
|---|---:|---:|---:|
| cold load to the first rows | ${ms(median(column('rows')))} | ${ms(Math.max(...column('rows')))} | 1,000 ms |
| cold load to histogram and counts | ${ms(median(column('counts')))} | ${ms(Math.max(...column('counts')))} | |
| from an event's answer to its row, live | ${ms(median(followed))} | ${ms(Math.max(...followed))} | 2,000 ms |
| frame while scrolling ${SCROLL_FRAMES} frames of ${SCROLL_PX} px | ${ms(median(frames))} | ${ms(Math.max(...frames))} (95 %: ${ms(percentile(frames, 0.95))}) | 17 ms |
| longest task while typing “${TYPED}” | | ${typed.longest ? ms(typed.longest) : 'none over 50 ms'} | 50 ms |
| longest handling of one key | | ${typed.handled ? ms(typed.handled) : 'none over 16 ms'} | 50 ms |`;
  console.log(text);
  const [begin, end] = ['<!-- portal -->', '<!-- /portal -->'];
  const old = readFileSync(DOCS, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`docs/benchmarks.md lacks ${begin}`);
  if (!process.env.RECOUNT_BENCH_DRY) writeFileSync(DOCS, `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`);
} finally {
  await closeBrowser();
  await server.stop();
}
