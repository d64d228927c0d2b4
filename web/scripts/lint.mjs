/** What the compiler can't see: styles that a strict policy drops, and French texts that nothing uses. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), '../elements/src');
const files = readdirSync(source, { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => [name, readFileSync(path.join(source, name), 'utf8')]);
const mistakes = [];

const BANS = [
  [/[\s"'`]style=/, 'a style attribute, which a strict policy drops; bind `.style=` instead'],
  [/styleMap|unsafeHTML|unsafeSVG|innerHTML|outerHTML|insertAdjacentHTML|\beval\(/, 'it writes style attributes or markup'],
  [/margin-(left|right)|padding-(left|right)|text-align: (left|right)/, 'a physical side; use the logical one, for right-to-left'],
];
for (const [name, text] of files) {
  if (/css`[^`]*\$\{/.test(text)) mistakes.push(`${name}: a value in a css template, which the build takes as it is`);
  for (const [pattern, why] of BANS) {
    const line = text.split('\n').findIndex((each) => pattern.test(each));
    if (line >= 0) mistakes.push(`${name}:${line + 1}: ${why}`);
  }
}

const used = files.filter(([name]) => !name.startsWith('locales')).map(([, text]) => text).join('\n').replace(/\\'/g, "'");
for (const [name, text] of files.filter(([each]) => each.startsWith('locales'))) {
  for (const [, quoted, bare] of text.matchAll(/(?:^|[,{]\s*|\n\s*)(?:'([^'\n]+)'|([A-Za-z]+)):\s*\n?\s*['"]/g)) {
    const key = quoted ?? bare;
    if (!/^(verb|problem)\./.test(key) && !used.includes(`'${key}'`)) mistakes.push(`${name}: nothing says “${key}”`);
  }
}

console.log(mistakes.join('\n') || 'lint: nothing found');
process.exit(mistakes.length ? 1 : 0);
