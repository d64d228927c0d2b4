/** A Vite plugin for what no minifier touches: the indentation of `html`, `svg` and `css` templates, and our decorators. */

const TAGS = new Set(['html', 'svg', 'css']);

export function minifyTemplates() {
  return {
    name: 'minify-templates',
    transform: {
      order: 'post',
      handler(code, id) {
        if (!/\/elements\/src\/.*\.ts$/.test(id) || !/\b(html|css|svg)`/.test(code)) return null;
        code = decorators(code);
        const edits = [];
        walk(this.parse(code), (node) => {
          if (node.type !== 'TaggedTemplateExpression' || !TAGS.has(node.tag.name)) return;
          for (const quasi of node.quasi.quasis) {
            const raw = quasi.value.raw;
            edits.push([code.indexOf(raw, quasi.start), raw, node.tag.name === 'css' ? css(raw) : markup(raw)]);
          }
        });
        edits.sort((a, b) => b[0] - a[0]);
        for (const [at, raw, short] of edits) code = code.slice(0, at) + short + code.slice(at + raw.length);
        return { code, map: null };
      },
    },
  };
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
