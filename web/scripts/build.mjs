/**
 * Builds what the server embeds into crates/recount-ui/dist: the modules, the hosted portal's page,
 * its fonts, and a `.br` and a `.gz` beside each text. The same sources give the same bytes.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { gzipAsync } from '@gfx/zopfli';
import { build } from 'vite';
import { minifyTemplates } from './minify-templates.mjs';

const web = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = process.env.RECOUNT_UI_DIST ?? path.join(web, '../crates/recount-ui/dist');
const require = createRequire(path.join(web, 'portal/package.json'));

/** What the log's first rows need: one module, with no second request before them. */
const FIRST = /node_modules\/(@lit|lit|lit-html|lit-element)\/|oxc-project|elements\/src\/(base\/(i18n|decorators|client|element|icons|part|text|look)|model\/(event|filter|paged-log|time|fragment|view|api)|log\/(cells|filter-bar|time-field|glyphs|event-table|letters|log-styles|recount-log)|log)\.ts/;
/** What is in view beside them, with what all later modules share: one module too. */
const COUNTS = /elements\/src\/(log\/(counts|histogram|saved-views|status-line)|base\/(styles|popover|more-icons))\.ts/;

rmSync(dist, { recursive: true, force: true });
mkdirSync(path.join(dist, 'fonts'), { recursive: true });

await build({
  configFile: false,
  root: web,
  logLevel: 'warn',
  plugins: [minifyTemplates()],
  publicDir: false,
  build: {
    outDir: dist,
    emptyOutDir: false,
    target: 'es2022',
    minify: true,
    modulePreload: false,
    lib: {
      entry: { 'recount-log': path.join(web, 'elements/src/log.ts'), recount: path.join(web, 'elements/src/index.ts'), portal: path.join(web, 'portal/portal.ts') },
      formats: ['es'],
    },
    rolldownOptions: {
      // Library mode leaves white space in unless told.
      preserveEntrySignatures: 'allow-extension',
      output: {
        entryFileNames: '[name].js', chunkFileNames: 'recount-[name].js', comments: false, minify: true,
        codeSplitting: { groups: [{ name: 'log', test: FIRST }, { name: 'counts', test: COUNTS }] },
      },
    },
  },
  resolve: { alias: { '@recount/elements': path.join(web, 'elements/src/index.ts') } },
});

for (const file of readdirSync(path.join(web, 'portal'))) {
  if (/\.(css|svg)$/.test(file)) {
    const text = readFileSync(path.join(web, 'portal', file), 'utf8');
    writeFileSync(path.join(dist, file), text.replace(/\/\*[^]*?\*\//g, '').replace(/\n\s*/g, '\n').trim() + '\n');
  }
}
for (const [family, name] of [['inter', 'inter'], ['jetbrains-mono', 'jetbrains-mono']]) {
  const folder = path.dirname(require.resolve(`@fontsource-variable/${family}/package.json`));
  for (const subset of ['latin', 'latin-ext']) {
    if (name === 'jetbrains-mono' && subset !== 'latin') continue;
    cpSync(path.join(folder, `files/${family}-${subset}-wght-normal.woff2`), path.join(dist, `fonts/${name}-${subset}.woff2`));
  }
  cpSync(path.join(folder, 'LICENSE'), path.join(dist, `fonts/${name}-LICENSE.txt`));
}

const licence = (name, file) => `${name}\n\n${readFileSync(file, 'utf8').trim()}\n`;
writeFileSync(path.join(dist, 'licences.txt'), [
  licence('Lit', path.join(web, 'node_modules/lit/LICENSE')),
  licence('Lucide (icons)', path.join(web, 'elements/src/base/icons.LICENSE')),
].join('\n---\n\n'));

// Styles and icons carry their content's hash, so that browsers may keep them; modules name each other
// without one and are revalidated.
const hash = (bytes, length) => createHash('sha256').update(bytes).digest('hex').slice(0, length);
const page = readFileSync(path.join(web, 'portal/index.html'), 'utf8')
  .replace(/\n\s*/g, '\n')
  .replace(/"\/assets\/([^"]+\.(?:css|svg))"/g, (_, file) => `"/assets/${file}?v=${hash(readFileSync(path.join(dist, file)), 12)}"`);
writeFileSync(path.join(dist, 'portal.html'), page);
const inline = [...page.matchAll(/<script>([^]*?)<\/script>/g)].map(([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
writeFileSync(path.join(dist, 'portal.csp'), inline.join(' ') + '\n');

for (const file of readdirSync(dist, { recursive: true })) {
  if (!/\.(js|css|html|svg|txt)$/.test(file)) continue;
  const bytes = readFileSync(path.join(dist, file));
  writeFileSync(path.join(dist, `${file}.br`), brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }));
  // Not zlib, whose output differs between processors.
  writeFileSync(path.join(dist, `${file}.gz`), await gzipAsync(bytes, { numiterations: 50 }));
}
console.log(readdirSync(dist).filter((file) => file.endsWith('.js')).map((file) =>
  `${file}: ${readFileSync(path.join(dist, file)).length} bytes, ${readFileSync(path.join(dist, `${file}.gz`)).length} gzipped`).join('\n'));
