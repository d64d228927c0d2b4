/** Debian's Chromium, driven by playwright-core. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-zygote', '--force-color-profile=srgb', '--font-render-hinting=none'];

let shared;
/** What each page asked for and has no answer to yet. */
const asked = new WeakMap();

export async function browser() {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing: apt-get install chromium, or name another in CHROMIUM`);
  shared ??= await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  return shared;
}

export async function closeBrowser() {
  await shared?.close();
}

/** A fresh profile with one page; everything the page complained about is in `problems`. */
export async function freshPage(options = {}) {
  const context = await (await browser()).newContext({
    viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Paris', colorScheme: 'light', acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'], reducedMotion: 'reduce', ...options,
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const problems = [];
  const open = new Set();
  asked.set(page, open);
  // A live log's request never ends.
  page.on('request', (request) => !request.url().includes('/events/tail') && open.add(request));
  for (const ended of ['requestfinished', 'requestfailed']) page.on(ended, (request) => open.delete(request));
  // Of a refusal, nobody may read the body, and it never finishes.
  page.on('response', (response) => !response.ok() && open.delete(response.request()));
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    // A request that fails on purpose is reported by the browser too; only the page's own words count.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) problems.push(message.text());
  });
  return { context, page, problems };
}

/** The requests of a page that have no answer yet. */
export const unanswered = (page) => [...asked.get(page)].map((request) => request.url());

export function scratchFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'recount-web-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
