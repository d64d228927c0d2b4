/** A Vite plugin for what no minifier touches: the indentation of `html`, `svg` and `css` templates, and our decorators. */

const TAGS = new Set(['html', 'svg', 'css']);

export function minifyTemplates() {
  return {
    name: 'minify-templates',
    transform: {
      order: 'post',
      handler(code, id) {
        if (!/\/elements\/src\/.*\.ts$/.test(id) || !/\b(html|css|svg)`/.test(code)) return null;
        // Our decorators do all their work on the prototype or class given; the compiler's helper has nothing to add.
        code = code.replace(/^_decorate\(\[(.*)\], (\w+\.prototype, "\w+"), void 0\);$/gm, '$1($2);')
          .replace(/^(\w+) = _decorate\(\[(.*)\], \1\);$/gm, '$2($1);');
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

/** White space with a line break is layout: gone beside a tag, one space elsewhere. */
const markup = (text) => text
  .replace(/>\s*\n\s*</g, '><').replace(/>\s*\n\s*$/g, '>').replace(/^\s*\n\s*</g, '<')
  .replace(/^\s*\n\s*$/g, '').replace(/\s*\n\s*/g, ' ');

const css = (text) => text
  .replace(/\/\*[^]*?\*\//g, '').replace(/\s+/g, ' ').replace(/\s*([{};,])\s*/g, '$1').replace(/([a-z-]): /g, '$1:').replace(/;}/g, '}');

function walk(node, visit) {
  if (!node || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
    return;
  }
  if (typeof node.type === 'string') visit(node);
  for (const [key, value] of Object.entries(node)) if (key !== 'parent' && typeof value === 'object') walk(value, visit);
}
