/** What really differs between two JSON values, as lines a person can check. */
import { plain, valueText } from '../base/text.js';
import type { Change, Json } from './event.js';

export interface DiffLine {
  /** The field's path, and the member of `changes` that it is in. */
  path: string;
  field: string;
  /** `value` is what the part shows, if that is one value. */
  parts: { kind: '+' | '-' | '='; text: string; value?: Json }[];
  /** The new text, if the parts make up a running one, word by word, instead of standing below each other. */
  running?: string;
  masked?: boolean;
}

/** Fields whose values nobody should read over a shoulder. */
const SECRET = /pass(word|phrase)|secret|token|api_?key|private_?key|credential/i;
const WORD_DIFF_CHARS_MIN = 40;
const WORD_DIFF_CELLS_MAX = 250_000;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);

export function diffChanges(changes: readonly Change[]): DiffLine[] {
  return changes.flatMap(({ field, before, after }) => diff(field, before, after).map((line) => ({ ...line, field })));
}

function diff(path: string, before: Json, after: Json): Omit<DiffLine, 'field'>[] {
  if (same(before, after)) return [];
  if (SECRET.test(path)) return [{ path, parts: [], masked: true }];
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => diff(`${path}.${key}`, before[key], after[key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const was = before.map((item) => JSON.stringify(item));
    const is = after.map((item) => JSON.stringify(item));
    const removed = before.filter((_, i) => !is.includes(was[i]!));
    const added = after.filter((_, i) => !was.includes(is[i]!));
    if (removed.length + added.length) {
      return [{ path, parts: [...removed.map((v) => part('-', v)), ...added.map((v) => part('+', v))] }];
    }
  }
  if (typeof before === 'string' && typeof after === 'string' && Math.max(before.length, after.length) > WORD_DIFF_CHARS_MIN) {
    const parts = wordDiff(before, after);
    if (parts) return [{ path, parts, running: after }];
  }
  const parts = [];
  if (before !== undefined && before !== null) parts.push(part('-', before));
  if (after !== undefined && after !== null) parts.push(part('+', after));
  return [{ path, parts }];
}

function part(kind: '+' | '-', secret: Json): DiffLine['parts'][number] {
  const value = veiled(secret);
  return { kind, text: plain(valueText(value)), value };
}

/** The value with secrets within it hidden, however deep. */
const veiled = (value: Json): Json =>
  (Array.isArray(value) ? value.map(veiled)
    : isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, SECRET.test(name) ? '••••••' : veiled(inner)])) : value);

/** The longest common subsequence of words, or undefined when the texts share nothing or are too long. */
function wordDiff(before: string, after: string): DiffLine['parts'] | undefined {
  const a = before.split(/(?<=\s)|(?=\s)|\b/u);
  const b = after.split(/(?<=\s)|(?=\s)|\b/u);
  if (a.length * b.length > WORD_DIFF_CELLS_MAX) return undefined;
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1]! + 1
        : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  if (longest[0]! * 4 < Math.min(a.length, b.length)) return undefined;
  const parts: DiffLine['parts'] = [];
  const add = (kind: '+' | '-' | '=', text: string) => {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += plain(text);
    else parts.push({ kind, text: plain(text) });
  };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add('=', a[i]!); i++; j++; }
    else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) add('-', a[i++]!);
    else add('+', b[j++]!);
  }
  return parts;
}
