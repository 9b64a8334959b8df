import { describe, expect, it } from 'vitest';
import { Headers } from './headers.ts';

const refused = expect.objectContaining({
  code: 'misuse.bad-argument',
  details: { argument: 'header', reason: 'bad-header' },
});

describe('Headers', () => {
  it('keeps order and spelling and compares names without regard to case', () => {
    const headers = new Headers([
      ['Via', '1.1 one'],
      ['Host', 'a'],
      ['via', ' 1.0 two\t'],
    ]);
    expect(headers.get('VIA')).toBe('1.1 one, 1.0 two');
    expect(headers.getAll('Via')).toEqual(['1.1 one', '1.0 two']);
    expect(headers.entries()).toEqual([
      ['Via', '1.1 one'],
      ['Host', 'a'],
      ['via', '1.0 two'],
    ]);
    expect(headers.has('hOST')).toBe(true);
    expect(headers.get('Date')).toBeNull();
  });

  it('replaces every line of a name with one', () => {
    const headers = new Headers([
      ['A', '1'],
      ['B', '2'],
      ['a', '3'],
    ]);
    headers.set('a', '4');
    expect(headers.entries()).toEqual([
      ['B', '2'],
      ['a', '4'],
    ]);
  });

  it('finds a word in a list over several lines', () => {
    const headers = new Headers([
      ['Connection', 'Proxy-support'],
      ['Connection', 'foo , Close'],
    ]);
    expect(headers.hasWord('connection', 'close')).toBe(true);
    expect(headers.hasWord('connection', 'clos')).toBe(false);
  });

  it.each([
    ['CR', 'X', 'a\rb'],
    ['LF', 'X', 'a\nb'],
    ['CRLF at the end', 'X', 'a\r\n'],
    ['NUL', 'X', 'a\0'],
    ['a character above U+00FF', 'X', 'ā'],
    ['a lone surrogate', 'X', '\ud800'],
    ['an empty name', '', 'a'],
    ['a blank in a name', 'X Y', 'a'],
    ['a colon in a name', 'X:', 'a'],
    ['CRLF in a name', 'X\r\nY', 'a'],
    ['a name that is not ASCII', 'Ü', 'a'],
  ])('refuses %s with misuse.bad-argument', (_what, name, value) => {
    expect(() => new Headers([[name, value]])).toThrow(refused);
    expect(() => new Headers().set(name, value)).toThrow(refused);
  });
});
