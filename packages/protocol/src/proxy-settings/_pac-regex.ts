import { fail } from '../errors.ts';
import { toText } from './_pac-convert.ts';
import type { Machine } from './_pac-machine.ts';
import { List, type NativeCode, Pattern, Thing, throwError, type Value } from './_pac-values.ts';
import { BadPattern, compileRegex, TooRichPattern } from './_regex-compile.ts';
import { findMatch, type Slots } from './_regex-match.ts';

/** Most matches that one call collects. */
const MAX_MATCHES = 100_000;

/** A pattern of its own for each time the expression is come to, but read only once. @throws pac.not-allowed */
export function makePattern(m: Machine, source: string, flags: string): Pattern {
  const known = m.pattern(`${flags}/${source}`, () => {
    m.step(source.length);
    m.hold(2 * source.length + 256);
    return new Pattern(source, flags, compiled(m, source, flags));
  });
  m.hold(64);
  return new Pattern(source, flags, known.program);
}

function compiled(m: Machine, source: string, flags: string): Pattern['program'] {
  try {
    return compileRegex(source, flags, m);
  } catch (error) {
    if (error instanceof BadPattern) throwError('SyntaxError', `Invalid regular expression: ${error.message}`);
    if (error instanceof TooRichPattern) fail('pac.not-allowed', { what: error.message });
    throw error;
  }
}

/** A value where a pattern is meant: a text is read as one. */
export function regexOf(m: Machine, value: Value): Pattern {
  if (value instanceof Pattern) return value;
  return makePattern(m, value === undefined ? '(?:)' : toText(m, value), '');
}

/** Whether a whole text is as the pattern says; the pattern is kept for the run. For `shExpMatch`. */
export function isMatch(m: Machine, source: string, text: string): boolean {
  return findMatch(makePattern(m, source, '').program, text, 0, false, m) !== null;
}

/** Matches one after the other, all of them whatever the flags say. */
export function allMatches(m: Machine, pattern: Pattern, text: string, most = MAX_MATCHES): { slots: Slots }[] {
  const found: { slots: Slots }[] = [];
  let from = 0;
  while (found.length < most && from <= text.length) {
    const slots = findMatch(pattern.program, text, from, pattern.flags.includes('y'), m);
    if (slots === null) break;
    m.hold(64 + 4 * slots.length);
    found.push({ slots });
    from = slots[1] === slots[0] ? (slots[1] as number) + 1 : (slots[1] as number);
  }
  return found;
}

/** What `exec` answers: the match, its groups, `index` and `input`. */
export function matchOnce(m: Machine, pattern: Pattern, text: string): Value {
  const remembers = /[gy]/.test(pattern.flags);
  const from = remembers ? pattern.lastIndex : 0;
  const slots = from > text.length ? null : findMatch(pattern.program, text, from, pattern.flags.includes('y'), m);
  if (remembers) pattern.lastIndex = slots === null ? 0 : (slots[1] as number);
  if (slots === null) return null;
  const groups: Value[] = [];
  for (let at = 0; at < slots.length; at += 2) {
    groups.push((slots[at] as number) < 0 ? undefined : m.text(text.slice(slots[at], slots[at + 1])));
  }
  m.hold(128 + 16 * groups.length);
  const result = new List(groups);
  result.props.set('index', slots[0]);
  result.props.set('input', text);
  if (pattern.program.groupNames.size > 0) {
    const named = new Thing();
    for (const [name, number] of pattern.program.groupNames) named.props.set(name, groups[number]);
    result.props.set('groups', named);
  } else result.props.set('groups', undefined);
  return result;
}

function method(code: (m: Machine, pattern: Pattern, text: string) => Value): NativeCode {
  return (m, self, args) => {
    if (!(self instanceof Pattern)) return throwError('TypeError', 'this is no regular expression');
    return code(m, self, toText(m, args[0]));
  };
}

/** What a regular expression can do. `compile` is not there: nobody needs it. */
export const REGEX_METHODS: ReadonlyMap<string, NativeCode> = new Map([
  ['test', method((m, pattern, text) => matchOnce(m, pattern, text) !== null)],
  ['exec', method(matchOnce)],
  ['toString', method((_m, pattern) => `/${pattern.source}/${pattern.flags}`)],
]);
