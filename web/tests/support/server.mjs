/** A real server on a free port, with its data in a folder of its own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const START_SECONDS_MAX = 60;
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = process.env.RECOUNT_BIN ?? path.join(root, 'target/debug/recount');

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a server. `env` sets further settings. */
export async function startServer(env = {}) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: build it with \`cargo build -p recount\`, or name another in RECOUNT_BIN`);
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'recount-web-'));
  const key = randomBytes(24).toString('hex');
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(binary, ['serve', '--data-dir', path.join(folder, 'data'), '--listen', `127.0.0.1:${port}`], {
    // The server refuses settings that it does not know; the tests' own are none of its.
    env: { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RECOUNT_'))), RECOUNT_OPERATOR_KEY: key, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  let stopping = false;
  const ended = new Promise((done) => child.once('exit', (status, signal) => {
    // Said at once: all tests that come after fail for it.
    if (!stopping) console.error(`the server ended by itself, ${signal ?? status}:\n${output.slice(-4000)}`);
    done();
  }));
  const deadline = Date.now() + START_SECONDS_MAX * 1000;
  while (!(await fetch(`${url}/readyz`).then(({ ok }) => ok, () => false))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start:\n${output}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...api(url, key), stop, output: () => output };
}

/** The parts of the API that tests use beside the browser. */
export function api(url, key) {
  const call = async (method, pathAndQuery, body, token = key, headers = {}) => {
    const response = await fetch(url + pathAndQuery, {
      method, headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    let json;
    try { json = JSON.parse(text); } catch { /* not JSON */ }
    return { status: response.status, headers: response.headers, text, json };
  };
  const must = async (...request) => {
    const answer = await call(...request);
    if (answer.status >= 300) throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${answer.text.slice(0, 400)}`);
    return answer.json;
  };
  const session = (tenant, options = {}) => must('POST', '/v1/portal-sessions', {
    tenant, actor: { type: 'user', id: 'u_auditor', name: 'Vera Auditor' }, scopes: ALL_SCOPES, ttl_seconds: 3600, locale: 'en-GB', ...options,
  });
  const append = async (events) => {
    for (let at = 0; at < events.length; at += 10_000) {
      const { results } = await must('POST', '/v1/events', `[${events.slice(at, at + 10_000).map((event) => JSON.stringify(event)).join(',')}]`);
      const refused = results.find(({ error }) => error);
      if (refused) throw new Error(`an event was refused: ${JSON.stringify(refused)}`);
    }
  };
  return { url, key, call, must, session, append };
}

export const ALL_SCOPES = ['events:read', 'exports:write', 'streams:manage', 'keys:manage'];
