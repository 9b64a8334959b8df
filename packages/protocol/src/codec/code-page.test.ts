import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { CODE_PAGES, encodeText, isCodePage, TextReader } from './code-page.ts';
import vectors from './vectors/code-page.json' with { type: 'json' };

const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();

describe('TextReader', () => {
  it.each(Object.entries(vectors.upperHalves))(
    'reads the upper half of code page %s as Microsoft maps it',
    (page, upper) => {
      upper.forEach((character, index) => {
        if (character === null) return; // platforms differ where Microsoft defines nothing
        const reader = new TextReader(Number(page));
        expect(reader.decode(Uint8Array.of(0x80 + index)) + reader.flush()).toBe(character);
      });
    },
  );

  it.each(vectors.texts)('reads "$text" of code page $codePage, whole and byte by byte', ({ codePage, text, hex }) => {
    expect(new TextReader(codePage).decode(bytesOf(hex))).toBe(text);
    const reader = new TextReader(codePage);
    const pieces = [...bytesOf(hex)].map((byte) => reader.decode(Uint8Array.of(byte)));
    expect(pieces.join('') + reader.flush()).toBe(text);
  });

  it('shows U+FFFD for half a character when the stream ends, and starts anew', () => {
    const reader = new TextReader(65001);
    expect(reader.decode(Uint8Array.of(0x41, 0xc3))).toBe('A');
    expect(reader.flush()).toBe('\ufffd');
    expect(reader.decode(Uint8Array.of(0xc3, 0xa9))).toBe('é');
  });

  it('gives the same text however the bytes are split, for any bytes and page', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CODE_PAGES), fc.uint8Array(), fc.nat(), (page, bytes, at) => {
        const whole = new TextReader(page);
        const split = new TextReader(page);
        const cut = at % (bytes.length + 1);
        const pieces = split.decode(bytes.subarray(0, cut)) + split.decode(bytes.subarray(cut)) + split.flush();
        expect(pieces).toBe(whole.decode(bytes) + whole.flush());
      }),
    );
  });
});

describe('encodeText', () => {
  it.each(vectors.texts)('writes "$text" in code page $codePage', ({ codePage, text, hex }) => {
    expect(toHex(encodeText(codePage, text))).toBe(hex);
  });

  it('writes the second spelling of characters that Shift_JIS and Big5 list twice as Windows does', () => {
    expect(toHex(encodeText(932, '纊'))).toBe('fa5c');
    expect(toHex(encodeText(950, '═'))).toBe('f9f9');
  });

  it('refuses what the page has no place for with misuse.bad-argument', () => {
    const refusal = (reason: string) =>
      expect.objectContaining({
        code: 'misuse.bad-argument',
        details: { argument: expect.any(String) as string, reason },
      });
    expect(() => encodeText(437, 'Привет')).toThrow(refusal('not-in-code-page'));
    expect(() => encodeText(1252, '😀')).toThrow(refusal('not-in-code-page'));
    expect(() => encodeText(65001, 'a\ud800')).toThrow(refusal('lone-surrogate'));
    for (const page of [0, -1, 1.5, Number.NaN, 1200, 65000, 2 ** 40]) {
      expect(() => encodeText(page, '')).toThrow(refusal('unknown-code-page'));
      expect(() => new TextReader(page)).toThrow(refusal('unknown-code-page'));
    }
  });

  it('is read back as the same text, or refused', () => {
    expect(CODE_PAGES.every(isCodePage)).toBe(true);
    const text = fc.string({
      unit: fc.constantFrom('a', '~', '\\', 'é', 'ß', 'Ж', '日', '한', '简', '€', 'ก', '│', '😀', '\ud800'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...CODE_PAGES), text, (page, input) => {
        try {
          expect(new TextReader(page).decode(encodeText(page, input))).toBe(input);
        } catch (error) {
          expect(isWinRmError(error, 'misuse.bad-argument')).toBe(true);
        }
      }),
    );
  });
});
