import { fail } from '../errors.ts';
import { callValue } from './_pac-call.ts';
import { toIndex, toText } from './_pac-convert.ts';
import type { Machine } from './_pac-machine.ts';
import { allMatches, matchOnce, regexOf } from './_pac-regex.ts';
import { isCallable, List, type NativeCode, Pattern, type Value } from './_pac-values.ts';

/** A text of this length is the longest that padding and repeating make at once. */
const MAX_MADE_CHARACTERS = 1_000_000;
const MAX_PARTS = 100_000;

type TextMethod = (m: Machine, text: string, args: readonly Value[]) => Value;

function method(code: TextMethod): NativeCode {
  return (m, self, args) => {
    const text = toText(m, self);
    m.step(text.length >> 4);
    return code(m, text, args);
  };
}

const word = (m: Machine, args: readonly Value[], at = 0): string => toText(m, args[at]);

/** What is looked for in a text, and its cost. */
function sought(m: Machine, text: string, args: readonly Value[]): string {
  const what = word(m, args);
  m.search(text, what);
  return what;
}

/** A position from 0 to the length; negative ones count from the end where `slice` is meant. */
function place(m: Machine, value: Value, length: number, whenAbsent: number, fromEnd: boolean): number {
  const at = toIndex(m, value, whenAbsent);
  return Math.min(length, Math.max(0, fromEnd && at < 0 ? length + at : at));
}

function list(m: Machine, parts: readonly string[]): List {
  m.step(parts.length);
  m.hold(24 * parts.length);
  return new List(parts.map((part) => m.text(part)));
}

const TABLE: Readonly<Record<string, TextMethod>> = {
  charAt: (m, text, args) => text.charAt(toIndex(m, args[0], 0)),
  charCodeAt: (m, text, args) => text.charCodeAt(toIndex(m, args[0], 0)),
  at: (m, text, args) => text.at(toIndex(m, args[0], 0)),
  indexOf: (m, text, args) => text.indexOf(sought(m, text, args), toIndex(m, args[1], 0)),
  lastIndexOf: (m, text, args) =>
    text.lastIndexOf(sought(m, text, args), toIndex(m, args[1], Number.POSITIVE_INFINITY)),
  includes: (m, text, args) => text.includes(sought(m, text, args), toIndex(m, args[1], 0)),
  startsWith: (m, text, args) => text.startsWith(word(m, args), toIndex(m, args[1], 0)),
  endsWith: (m, text, args) => text.endsWith(word(m, args), toIndex(m, args[1], text.length)),
  toLowerCase: (m, text) => m.text(text.toLowerCase()),
  toUpperCase: (m, text) => m.text(text.toUpperCase()),
  toLocaleLowerCase: (m, text) => m.text(text.toLowerCase()),
  toLocaleUpperCase: (m, text) => m.text(text.toUpperCase()),
  trim: (m, text) => m.text(text.trim()),
  trimStart: (m, text) => m.text(text.trimStart()),
  trimEnd: (m, text) => m.text(text.trimEnd()),
  concat: (m, text, args) => m.join([text, ...args.map((arg) => toText(m, arg))]),
  localeCompare: (m, text, args) => (text < word(m, args) ? -1 : text > word(m, args) ? 1 : 0),
  slice: (m, text, args) => {
    const from = place(m, args[0], text.length, 0, true);
    return m.text(text.slice(from, Math.max(from, place(m, args[1], text.length, text.length, true))));
  },
  substring: (m, text, args) =>
    m.text(
      text.substring(place(m, args[0], text.length, 0, false), place(m, args[1], text.length, text.length, false)),
    ),
  substr: (m, text, args) => {
    const from = place(m, args[0], text.length, 0, true);
    return m.text(text.slice(from, from + Math.max(0, Math.min(text.length, toIndex(m, args[1], text.length)))));
  },
  padStart: (m, text, args) => m.text(text.padStart(made(m, args[0]), args[1] === undefined ? ' ' : word(m, args, 1))),
  padEnd: (m, text, args) => m.text(text.padEnd(made(m, args[0]), args[1] === undefined ? ' ' : word(m, args, 1))),
  repeat: (m, text, args) => {
    const count = Math.max(0, toIndex(m, args[0], 0));
    if (count * text.length > MAX_MADE_CHARACTERS) fail('pac.too-long', { limit: 'memory' });
    return m.text(text.repeat(count));
  },
  split,
  match: (m, text, args) => {
    const pattern = regexOf(m, args[0]);
    if (!pattern.flags.includes('g')) return matchOnce(m, pattern, text);
    const all = allMatches(m, pattern, text);
    return all.length === 0
      ? null
      : list(
          m,
          all.map(({ slots }) => text.slice(slots[0], slots[1])),
        );
  },
  search: (m, text, args) => {
    const pattern = regexOf(m, args[0]);
    return allMatches(m, pattern, text, 1)[0]?.slots[0] ?? -1;
  },
  replace: (m, text, args) => replace(m, text, args, false),
  replaceAll: (m, text, args) => replace(m, text, args, true),
};

/** What every text can do. */
export const STRING_METHODS: ReadonlyMap<string, NativeCode> = new Map([
  ...Object.entries(TABLE).map(([name, code]) => [name, method(code)] as const),
  ['toString', method((_m, text) => text)],
  ['valueOf', method((_m, text) => text)],
]);

function made(m: Machine, value: Value): number {
  const length = toIndex(m, value, 0);
  if (length > MAX_MADE_CHARACTERS) fail('pac.too-long', { limit: 'memory' });
  return length;
}

function split(m: Machine, text: string, args: readonly Value[]): Value {
  const limit = args[1] === undefined ? MAX_PARTS : Math.min(MAX_PARTS, Math.max(0, toIndex(m, args[1], 0)));
  const [separator] = args;
  if (separator === undefined) return list(m, [text]);
  if (!(separator instanceof Pattern)) {
    const between = toText(m, separator);
    m.search(text, between);
    return list(m, text.split(between, limit));
  }
  const parts: string[] = [];
  let from = 0;
  if (text === '') return list(m, allMatches(m, separator, text, 1).length > 0 ? [] : ['']);
  for (const { slots } of allMatches(m, separator, text)) {
    const [start, end] = [slots[0] as number, slots[1] as number];
    // An empty match parts nothing from nothing at either end, and right behind the one before.
    if (end === start && (start === from || start >= text.length)) continue;
    parts.push(text.slice(from, start));
    for (let group = 2; group < slots.length; group += 2) {
      parts.push((slots[group] as number) < 0 ? '' : text.slice(slots[group], slots[group + 1]));
    }
    from = end;
  }
  parts.push(text.slice(from));
  return list(m, parts.slice(0, limit));
}

function replace(m: Machine, text: string, args: readonly Value[], isAll: boolean): Value {
  const [what, by] = args;
  const isEach = what instanceof Pattern ? what.flags.includes('g') : isAll;
  const found =
    what instanceof Pattern
      ? allMatches(m, what, text, isEach ? undefined : 1).map(({ slots }) => slots)
      : plainMatches(m, text, toText(m, what), isEach);
  let out = '';
  let from = 0;
  for (const slots of found) {
    const [start, end] = [slots[0] as number, slots[1] as number];
    const groups: (string | undefined)[] = [];
    for (let at = 0; at < slots.length; at += 2) {
      groups.push((slots[at] as number) < 0 ? undefined : text.slice(slots[at], slots[at + 1]));
    }
    const instead = isCallable(by)
      ? m.text(toText(m, callValue(m, by, undefined, [...groups, start, text])))
      : m.join(expand(m, toText(m, by), groups, text, start, end));
    out += text.slice(from, start) + instead;
    m.hold(16);
    from = end;
  }
  return m.text(out + text.slice(from));
}

function plainMatches(m: Machine, text: string, what: string, isEach: boolean): Int32Array[] {
  m.search(text, what);
  const found: Int32Array[] = [];
  let at = text.indexOf(what);
  while (at >= 0 && (isEach || found.length === 0)) {
    m.step();
    m.hold(32);
    found.push(Int32Array.of(at, at + what.length));
    at = what === '' && at >= text.length ? -1 : text.indexOf(what, at + Math.max(1, what.length));
  }
  return found;
}

/** `$&`, `$1`, `$$` and their like, as the pieces they stand for. ECMA-262, section 22.1.3.19.1 */
function expand(
  m: Machine,
  by: string,
  groups: readonly (string | undefined)[],
  text: string,
  start: number,
  end: number,
): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const found of by.matchAll(/\$(?:[$&`']|\d\d?)/g)) {
    m.step();
    m.hold(64);
    parts.push(by.slice(from, found.index), meaning(found[0].slice(1), groups, text, start, end) ?? found[0]);
    from = found.index + found[0].length;
  }
  parts.push(by.slice(from));
  return parts;
}

/** What stands behind a `$`; null where it stands for itself. */
function meaning(
  sign: string,
  groups: readonly (string | undefined)[],
  text: string,
  start: number,
  end: number,
): string | null {
  if (sign === '$') return '$';
  if (sign === '&') return groups[0] ?? '';
  if (sign === '`') return text.slice(0, start);
  if (sign === "'") return text.slice(end);
  const number = Number(sign);
  if (number >= 1 && number < groups.length) return groups[number] ?? '';
  const first = Number(sign.charAt(0));
  return sign.length === 2 && first >= 1 && first < groups.length ? (groups[first] ?? '') + sign.charAt(1) : null;
}
