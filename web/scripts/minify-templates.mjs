/**
 * A Vite plugin for what no minifier touches: the indentation of `html`, `svg` and `css` templates, the names of
 * our own custom properties, our decorators and the place of private fields' values; and the lean `lit` of `lit/`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { shortNames } from './own-names.mjs';

const TAGS = new Set(['html', 'svg', 'css']);
const scripts = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(scripts, '../elements/src');

/** `--_muted` and its like are the elements' own and mean nothing outside: short names, the most used first. */
const OWN_PROPERTY = /--_[a-z-]+/g;
function shortProperties() {
  const uses = new Map();
  for (const file of readdirSync(sources, { recursive: true }).filter((name) => name.endsWith('.ts'))) {
    for (const [name] of readFileSync(path.join(sources, file), 'utf8').matchAll(OWN_PROPERTY)) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const names = [...uses].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
  if (names.length > 26) throw new Error('more custom properties than letters');
  return new Map(names.map((name, i) => [name, `--_${String.fromCharCode(97 + i)}`]));
}

export function minifyTemplates() {
  const properties = shortProperties();
  const shorten = shortNames();
  return {
    name: 'minify-templates',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source === 'lit') return path.join(scripts, 'lit/lit.js');
      if (source === './css-tag.js' && importer?.includes('@lit/reactive-element')) return path.join(scripts, 'lit/css-tag.js');
      return null;
    },
    transform: {
      order: 'post',
      handler(code, id) {
        if (/\/node_modules\/(@lit|lit-html)\/|\/scripts\/lit\//.test(id)) return { code: shorten(code), map: null };
        if (!/\/elements\/src\/.*\.ts$/.test(id)) return null;
        code = shorten(decorators(code)).replace(OWN_PROPERTY, (name) => properties.get(name));
        code = applyEdits(code, privateValues(this.parse(code), code));
        const edits = [];
        walk(this.parse(code), (node) => {
          if (node.type !== 'TaggedTemplateExpression' || !TAGS.has(node.tag.name)) return;
          for (const quasi of node.quasi.quasis) {
            const raw = quasi.value.raw;
            edits.push([code.indexOf(raw, quasi.start), raw, node.tag.name === 'css' ? css(raw) : markup(raw)]);
          }
        });
        return { code: applyEdits(code, edits), map: null };
      },
    },
  };
}

/** `edits` are `[at, old, new]`. */
function applyEdits(code, edits) {
  for (const [at, old, text] of [...edits].sort((a, b) => b[0] - a[0])) code = code.slice(0, at) + text + code.slice(at + old.length);
  return code;
}

/**
 * The compiler sets all fields in the constructor, since reactive properties are accessors that a field would hide.
 * Private ones are not: their values go back to where they are declared, unless they use other fields.
 */
function privateValues(tree, code) {
  const edits = [];
  walk(tree, (node) => {
    if (node.type !== 'ClassBody') return;
    const fields = new Map(node.body.filter(({ type, value, key }) => type === 'PropertyDefinition' && !value && key.type === 'PrivateIdentifier').map((field) => [field.key.name, field]));
    const made = node.body.find(({ kind, value }) => kind === 'constructor' && value.params[0]?.type === 'RestElement');
    const rest = made?.value.body.body.filter((statement) => {
      const { left, right } = (statement.type === 'ExpressionStatement' && statement.expression) || {};
      const early = right?.type.endsWith('FunctionExpression') || !code.slice(right?.start, right?.end).includes('this.');
      const field = early && left?.object?.type === 'ThisExpression' && left.property.type === 'PrivateIdentifier' && fields.get(left.property.name);
      if (!field) return true;
      edits.push([field.end - 1, ';', ` = ${code.slice(right.start, right.end)};`], [statement.start, code.slice(statement.start, statement.end), '']);
      return false;
    });
    if (rest?.length === 1) {
      const from = Math.min(made.start, ...edits.filter(([at]) => at > made.start && at < made.end).map(([at]) => at));
      edits.splice(0, edits.length, ...edits.filter(([at]) => at < made.start || at > made.end), [from, code.slice(made.start, made.end), '']);
    }
  });
  return edits;
}

/**
 * Our decorators do all their work on the prototype or class given, so the compiler's helper has nothing to add; and
 * they take several names, so each is called once for all properties of its kind.
 */
function decorators(code) {
  const one = /^_decorate\(\[([^]*?)\], (\w+\.prototype), ("\w+"), void 0\);\n/gm;
  return code
    .replace(new RegExp(`(?:${one.source})+`, 'gm'), (run) => {
      const calls = new Map();
      for (const [, decorator, prototype, name] of run.matchAll(one)) {
        const call = `${decorator}(${prototype}, `;
        calls.set(call, [...(calls.get(call) ?? []), name]);
      }
      return [...calls].map(([call, names]) => `${call}${names.join(', ')});\n`).join('');
    })
    .replace(/^(\w+) = _decorate\(\[(.*)\], \1\);$/gm, '$2($1);');
}

/** White space with a line break is layout: gone beside a tag, one space elsewhere. Single words need no quotes. */
const markup = (text) => text
  .replace(/="([\w-]+)"(?=[\s>])/g, '=$1').replace(/ \/>/g, '>')
  .replace(/>\s*\n\s*</g, '><').replace(/>\s*\n\s*$/g, '>').replace(/^\s*\n\s*</g, '<')
  .replace(/^\s*\n\s*$/g, '').replace(/\s*\n\s*/g, ' ');

const css = (text) => text
  .replace(/\/\*[^]*?\*\//g, '').replace(/\s+/g, ' ').replace(/\s*([{};,>])\s*/g, '$1').replace(/\( | (?=\))/g, (found) => found.trim())
  .replace(/([a-z-]): /g, '$1:').replace(/\b0(?=\.\d)/g, '').replace(/;}/g, '}').trim();

function walk(node, visit) {
  if (!node || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
    return;
  }
  if (typeof node.type === 'string') visit(node);
  for (const [key, value] of Object.entries(node)) if (key !== 'parent' && typeof value === 'object') walk(value, visit);
}
