/**
 * A small vendor application that shows each customer its audit log. No dependencies.
 *
 *   RECOUNT_SERVER=http://127.0.0.1:8787 RECOUNT_KEY=rk_op_… node server.mjs
 *
 * The key needs `sessions:create`. It stays on this server: browsers get short-lived tokens.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const recount = process.env.RECOUNT_SERVER ?? 'http://127.0.0.1:8787';
const key = process.env.RECOUNT_KEY;
const port = Number(process.env.PORT ?? 3000);
const origin = process.env.ORIGIN ?? `http://localhost:${port}`;
if (!key) throw new Error('RECOUNT_KEY is missing: a key with the scope sessions:create');

/** Whoever is signed in. A real application reads its own session here. */
const signedIn = () => ({ tenant: process.env.TENANT ?? 'northwind', actor: { type: 'user', id: 'u_1', name: 'Ada Lovelace' } });

/** Everything the embedded log needs, and nothing inline anywhere. */
const policy = [
  "default-src 'none'", `script-src 'self' ${recount}`, "style-src 'self'", `connect-src 'self' ${recount}`, "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "require-trusted-types-for 'script'", 'trusted-types lit-html',
].join('; ');

/** Asks Recount for a session of the signed-in person: a one-time link, to `path` if given, and a token. */
async function session(path) {
  const { tenant, actor } = signedIn();
  const response = await fetch(`${recount}/v1/portal-sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant, actor, scopes: ['events:read', 'exports:write'], ttl_seconds: 900, origins: [origin], return_url: origin, path }),
  });
  if (!response.ok) throw new Error(`Recount answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const files = { '/app.css': 'text/css', '/app.js': 'text/javascript' };
const read = (name) => readFile(new URL(`../host-page/${name}`, import.meta.url));

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, origin);
  if (pathname === '/recount-session') {
    // Only this page's own scripts may ask; browsers set the header, pages can't.
    if (request.method !== 'POST' || !['same-origin', undefined].includes(request.headers['sec-fetch-site'])) return response.writeHead(403).end();
    const { token } = await session();
    return response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify({ token }));
  }
  if (pathname === '/portal') {
    // The portal's login_url: whoever was sent here from a copied link goes back to what they wanted.
    const { url } = await session(searchParams.get('return_to') ?? undefined);
    return response.writeHead(303, { location: url, 'referrer-policy': 'no-referrer' }).end();
  }
  if (files[pathname]) return response.writeHead(200, { 'content-type': files[pathname] }).end(await read(pathname.slice(1)));
  if (pathname !== '/') return response.writeHead(404).end();
  const { tenant, actor } = signedIn();
  const page = String(await read('index.html')).replaceAll('{recount}', recount).replace('{user}', actor.name).replace('{tenant}', tenant);
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }).end(page);
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error.message);
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
}).listen(port, () => console.log(`${origin} shows the audit log of ${signedIn().tenant}`));
