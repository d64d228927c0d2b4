/**
 * Pages of other origins: the example vendor app with its strict policy, and pages that mean harm.
 */
import { createServer } from 'node:http';

/** Serves `pages` (path → { html, headers }) on a free port of `127.0.0.1`, reached as `localhost`. */
export async function startHost(pages) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://host');
    const page = typeof pages === 'function' ? await pages(pathname, request) : pages[pathname];
    if (!page) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': page.type ?? 'text/html; charset=utf-8', ...page.headers }).end(page.body);
  }).listen(0);
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  return {
    origin: `http://localhost:${port}`,
    stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

/** A policy as strict as a careful host's: no inline script or style, Trusted Types enforced. */
export const strictPolicy = (recount) => [
  "default-src 'none'", `script-src 'self' ${recount}`, "style-src 'self'", `connect-src 'self' ${recount}`, "img-src 'self' data:", "font-src 'self'",
  "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", 'trusted-types lit-html',
].join('; ');

/** A host page that embeds an element and reports what its policy refused. */
export function embedding(recount, { element = 'recount-log', module = 'recount.js', attributes = '', token = '', lang = 'en', dir = 'ltr', style = '', body = '', script = '' } = {}) {
  return {
    '/': {
      headers: { 'content-security-policy': strictPolicy(recount) },
      body: `<!doctype html><html lang="${lang}" dir="${dir}"><meta charset="utf-8"><title>Host</title><link rel="stylesheet" href="/host.css">
        <script type="module" src="${recount}/assets/${module}"></script><script type="module" src="/host.js"></script>
        ${body}<main><h1>Settings</h1><${element} server="${recount}" ${attributes}></${element}></main></html>`,
    },
    '/host.css': { type: 'text/css', body: `body { margin: 0; font-family: Georgia, serif } h1 { font-size: 20px; padding: 0 24px } ${element} { --recount-height: 800px; ${style} }` },
    '/host.js': {
      type: 'text/javascript',
      body: `window.violations = []; document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
        const element = document.querySelector('${element}'); window.fetched = 0;
        element.fetchSession = async () => { window.fetched++; const answer = await fetch('/session'); if (!answer.ok) throw new Error('no session'); return (await answer.text()); };
        ${script}`,
    },
    '/session': { type: 'text/plain', body: token },
  };
}
