/** What is published: the packages hold their modules and types, and the React components render and pass things on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { startHost } from './support/hosts.mjs';
import { behaviour, eventually, rows } from './support/world.mjs';

const web = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Where the packages are installed as an application would have them: packed and unpacked. */
let app;
const packed = {};

before(() => {
  app = mkdtempSync(path.join(tmpdir(), 'recount-packages-'));
  mkdirSync(path.join(app, 'node_modules/@recount'), { recursive: true });
  for (const name of ['elements', 'react']) {
    const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', app], { cwd: path.join(web, name), encoding: 'utf8' }).replace(/^[^[]*/, ''));
    packed[name] = files.map((file) => file.path);
    execFileSync('tar', ['xzf', path.join(app, filename)], { cwd: app });
    cpSync(path.join(app, 'package'), path.join(app, 'node_modules/@recount', name), { recursive: true });
    rmSync(path.join(app, 'package'), { recursive: true });
  }
  for (const name of ['react', 'react-dom', 'scheduler', 'lit', 'lit-html', 'lit-element', '@lit', '@types']) symlinkSync(path.join(web, 'node_modules', name), path.join(app, 'node_modules', name));
}, { timeout: 300_000 });
after(() => rmSync(app, { recursive: true, force: true }));

test('the packages hold every module with its types, and nothing else', () => {
  for (const [name, files] of Object.entries(packed)) {
    assert.ok(files.includes('package.json'));
    const rest = files.filter((file) => !/^(package\.json|LICENSE|README\.md)$/.test(file));
    assert.ok(rest.length >= 2 && rest.every((file) => /^dist\/.*\.(js|d\.ts)$/.test(file)), `${name}: ${rest.join(' ')}`);
    for (const file of rest.filter((each) => each.endsWith('.js'))) assert.ok(rest.includes(file.replace(/\.js$/, '.d.ts')), `${name}: ${file} has no types`);
    const { exports } = JSON.parse(readFileSync(path.join(app, 'node_modules/@recount', name, 'package.json'), 'utf8'));
    for (const { types, default: module } of Object.values(exports)) assert.ok(files.includes(types.slice(2)) && files.includes(module.slice(2)), `${name}: ${module}`);
  }
});

behaviour('a React application gets typed components that take properties and hand on events', async ({ page: open, server }) => {
  writeFileSync(path.join(app, 'main.tsx'), `
    import * as React from 'react';
    import { createRoot } from 'react-dom/client';
    import { RecountLog } from '@recount/react';
    function App() {
      const [title, setTitle] = React.useState('none');
      const [dense, setDense] = React.useState(false);
      return <><output>{title}</output><button id="dense" onClick={() => setDense(true)}>Dense</button>
        <RecountLog server={(window as unknown as { server: string }).server} density={dense ? 'compact' : 'cosy'} fetchSession={() => fetch('/session').then((answer) => answer.text())}
          onEventOpened={(event) => setTitle(event.detail?.title ?? 'closed')} /></>;
    }
    createRoot(document.querySelector('main')!).render(<App />);`);
  writeFileSync(path.join(app, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', jsx: 'react', strict: true, noEmit: true, skipLibCheck: true, lib: ['es2023', 'dom'], types: [] }, include: ['main.tsx', 'dom.d.ts'],
  }));
  writeFileSync(path.join(app, 'dom.d.ts'), "declare module 'react-dom/client' { export function createRoot(at: Element): { render(node: unknown): void }; }");
  execFileSync(path.join(web, 'node_modules/.bin/tsc'), ['-p', app], { stdio: 'inherit' });
  const [{ output }] = [await build({
    configFile: false, root: app, logLevel: 'error', define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib: { entry: path.join(app, 'main.tsx'), formats: ['es'] } }, resolve: { preserveSymlinks: true },
  })].flat();
  const modules = Object.fromEntries(output.map(({ fileName, code }) => [`/${fileName}`, { type: 'text/javascript', body: code }]));
  const entry = output.find(({ isEntry }) => isEntry).fileName;
  let token = '';
  const host = await startHost((at) => modules[at] ?? { '/session': { type: 'text/plain', body: token },
    '/': { body: `<!doctype html><html lang="en"><title>App</title><style>recount-log { --recount-height: 700px }</style><main></main><script>window.server = ${JSON.stringify(server.url)}</script><script type="module" src="/${entry}"></script></html>` } }[at]);
  token = (await server.session('northwind', { origins: [host.origin] })).token;
  const { page } = await open();
  await page.goto(host.origin);
  await rows(page).first().click();
  await eventually(() => page.locator('output').innerText(), (text) => text !== 'none' && text.length > 3);
  await page.locator('#dense').click();
  await eventually(() => page.locator('recount-log').getAttribute('density'), 'compact');
  await host.stop();
}, { timeout: 300_000 });
