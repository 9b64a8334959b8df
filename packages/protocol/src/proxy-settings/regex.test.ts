import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadPattern, compileRegex, TooRichPattern } from './_regex-compile.ts';
import { findMatch } from './_regex-match.ts';

const FREE = { step: () => undefined, hold: () => undefined };

function ours(source: string, flags: string, text: string): (string | null)[] | null {
  const slots = findMatch(compileRegex(source, flags, FREE), text, 0, false, FREE);
  if (slots === null) return null;
  const groups: (string | null)[] = [String(slots[0])];
  for (let at = 0; at < slots.length; at += 2) {
    groups.push((slots[at] as number) < 0 ? null : text.slice(slots[at], slots[at + 1]));
  }
  return groups;
}

function theirs(source: string, flags: string, text: string): (string | null)[] | null {
  const found = new RegExp(source, flags).exec(text);
  return found === null ? null : [String(found.index), ...[...found].map((group) => group ?? null)];
}

describe('the matcher for PAC scripts', () => {
  it.each([
    ['^(?:[^.]+\\.)*corp\\.example$', 'i', 'a.b.CORP.example'],
    ['(a*)*b', '', 'aaaab'],
    ['(a*)*', '', 'b'],
    ['(?:a|ab)(?:c|bcd)(d*)', '', 'abcd'],
    ['(z)((a+)?(b+)?(c))*', '', 'zaacbbbcac'],
    ['(?=(a+))a*b\\1', '', 'baaabac'],
    ['(.*?)a(?!(a+)b\\2c)\\2(.*)', '', 'baaabaac'],
    ['a{2,3}?', '', 'aaaa'],
    ['(a|b){0,2}c', '', 'abac'],
    ['^\\d{1,3}(\\.\\d{1,3}){3}$', '', '10.20.30.40'],
    ['[^\\w-]', '', 'ab-c_d!'],
    ['\\bfoo\\b', '', 'a foo.'],
    ['\\Boo', '', 'foo'],
    ['(?<year>\\d{4})-\\k<year>', '', '1999-1999'],
    ['[\\d-x]+', '', '1-x2'],
    ['[a-c\\]]+', '', 'xab]c'],
    ['a.c', 's', 'a\nc'],
    ['^b$', 'm', 'a\nb\nc'],
    ['\\u0041\\x42\\cJ?\\0?', '', 'AB'],
    ['a{', '', 'a{'],
    ['x{,3}', '', 'x{,3}'],
    ['(?:)', '', 'anything'],
    ['(a?)*?$', '', 'aa'],
    ['(?:a?)*?$', '', 'a'],
    ['(\\2)(a)', '', 'a'],
    ['\\8', '', '8'],
    [']', '', ']'],
    ['[]', '', 'a'],
    ['[^]', '', '\n'],
    ['(?!(a))b\\1', '', 'ab'],
    ['(?:(?=(a))a)+b', '', 'aab'],
    ['((a)|b)*', '', 'ab'],
  ])('/%s/%s finds in %j what RegExp finds', (source, flags, text) => {
    expect(ours(source, flags, text)).toEqual(theirs(source, flags, text));
  });

  it('agrees with RegExp on patterns nobody would write', () => {
    const piece = fc.constantFrom(
      ...['a', 'b', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '(a)', '(b|)', '(?:a|ab)', '(?=a)', '(?!b)', '\\1'],
      ...['(a*)', '[a-c]', 'A', '(?:b(a)?)'],
    );
    const times = fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{0,2}', '{1,}?');
    const isBare = (atom: string): boolean => /^(?:\^|\$|\\b)$/.test(atom);
    const term = fc.tuple(piece, times).map(([atom, count]) => (isBare(atom) ? atom : atom + count));
    const source = fc
      .array(term, { minLength: 1, maxLength: 6 })
      .chain((terms) => fc.constantFrom(terms.join(''), `(?:${terms.join('')})*c?`, `${terms.join('')}|b`));
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', 'A', '\n', '.'), { maxLength: 8 })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(source, fc.constantFrom('', 'i', 'm', 's'), text, (pattern, flags, subject) => {
        expect(ours(pattern, flags, subject)).toEqual(theirs(pattern, flags, subject));
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses what it does not know, and what RegExp refuses', () => {
    for (const source of ['(', ')', '*', 'a**', '[b-a]', 'a{2,1}', '(?<a', '\\', '[', '(?x)', '^*', 'a|*']) {
      expect(() => new RegExp(source), source).toThrow(SyntaxError);
      expect(() => compileRegex(source, '', FREE), source).toThrow(BadPattern);
    }
    for (const source of ['(?<=a)b', '(?<!a)b', 'a{9999}', '(?:a{1000}){1000}', '('.repeat(100) + ')'.repeat(100)]) {
      expect(() => compileRegex(source, '', FREE), source).toThrow(TooRichPattern);
    }
    expect(() => compileRegex('a', 'u', FREE)).toThrow(TooRichPattern);
    expect(() => compileRegex('a', 'ii', FREE)).toThrow(BadPattern);
  });
});
