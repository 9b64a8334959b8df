import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLEAR, MAX_SEQUENCE_CHARS, MAX_STRING_CHARS, OutputFilter, plainText } from './output-filter.ts';

const filtered = (text: string) => new OutputFilter().feed(text);
const SAFE_ONLY = /^(?:[^\0-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]|\x1b\[[0-9;:]*[mABCDEFGHdfKXJ`])*$/u;

describe('OutputFilter', () => {
  test('lets text, line ends, tabs and backspaces through', () => {
    expect(filtered('Grüße 世界 🚢\r\n\tx\b')).toBe('Grüße 世界 🚢\r\n\tx\b');
  });

  test('lets colours and cursor moves through', () => {
    const text = '\x1b[1;38:2:1:2:3mred\x1b[0m\x1b[2K\x1b[10;5H\x1b[A\x1b[J';
    expect(filtered(text)).toBe(text);
    expect(filtered('\x9b31mred')).toBe('\x1b[31mred');
  });

  test.each([
    ['a clipboard write', 'a\x1b]52;c;aGk=\x07b'],
    ['a title', 'a\x1b]0;owned\x1b\\b'],
    ['a link', 'a\x1b]8;;https://evil.test\x1b\\b'],
    ['a device control string', 'a\x1bP$q m\x1b\\b'],
    ['an application string', 'a\x1b_x\x1b\\b'],
    ['an 8-bit string', 'a\x9d0;x\x9cb'],
    ['a question for the device', 'a\x1b[cb'],
    ['a question for the cursor position', 'a\x1b[6nb'],
    ['a mode switch', 'a\x1b[?1049hb'],
    ['mouse reporting', 'a\x1b[?1000hb'],
    ['a wipe of the scrollback', 'a\x1b[3Jb'],
    ['a move of a billion rows', 'a\x1b[1000000000Bb'],
    ['inserted lines', 'a\x1b[5Lb'],
    ['a thousand parameters', `a\x1b[${'1;'.repeat(100)}mb`],
    ['a reset', 'a\x1bcb'],
    ['a character set', 'a\x1b(0b'],
    ['window operations', 'a\x1b[21tb'],
    ['a bell and a null', 'a\x07\x00b'],
    ['scroll regions', 'a\x1b[1;2rb'],
  ])('takes out %s', (_, text) => {
    const filter = new OutputFilter();
    expect(filter.feed(text)).toBe('ab');
    expect(filter.droppedCount).toBeGreaterThan(0);
  });

  test('turns the form feed of cls into a clear page', () => {
    expect(filtered('a\x0cb')).toBe(`a${CLEAR}b`);
  });

  test('does not wait for ever for a sequence or a string to end', () => {
    expect(filtered(`\x1b[${'1'.repeat(MAX_SEQUENCE_CHARS)};xyz`)).toMatch(/yz$/);
    expect(filtered(`\x1b]${'x'.repeat(MAX_STRING_CHARS + 10)}end`)).toMatch(/end$/);
    expect(filtered('\x1b[31\r\nnext')).toBe('\r\nnext');
    expect(filtered('\x1b\nnext')).toBe('\nnext');
  });

  test('gives the same whatever pieces the text comes in', () => {
    const text = 'a\x1b[31mred\x1b]0;t\x07\x1b[0m\x1bP1\x1b\\b\x1b[6n\x9b1mc\x0cd';
    const filter = new OutputFilter();
    expect([...text].map((char) => filter.feed(char)).join('')).toBe(filtered(text));
  });

  test('lets nothing but the safe set through, for any text in any pieces', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\x1b', '\x1b[', '\x1b]', '\x9b', '\x07', '\x1b\\', '\x1bP', '?', '6n', '31m', '\x9c', '3J'),
      ),
    );
    fc.assert(
      fc.property(pieces, (all) => {
        const filter = new OutputFilter();
        expect(all.map((piece) => filter.feed(piece)).join('')).toMatch(SAFE_ONLY);
      }),
    );
  });
});

describe('plainText', () => {
  test('leaves the words and the line ends', () => {
    expect(plainText('\x1b[1;31mred\x1b[0m\r\nnext\x1b[2K')).toBe('red\nnext');
  });
});
