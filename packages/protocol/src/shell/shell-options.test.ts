import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWinRmError } from '../errors.ts';
import { checkLine, MAX_COMMAND_CHARS, MAX_INPUT_LINE_BYTES } from './shell-options.ts';

const refusal = (argument: string, reason: string) =>
  expect.objectContaining({ code: 'misuse.bad-argument', details: expect.objectContaining({ argument, reason }) });

describe('checkLine', () => {
  it.each(['', 'dir', 'echo a\tb', 'x'.repeat(MAX_COMMAND_CHARS), 'echo \u{1f600}'])(
    'takes line %# at a prompt',
    (line) => {
      expect(() => checkLine(line, 'prompt', 65_001)).not.toThrow();
    },
  );

  it.each([
    ['a bell', 'a\u0007b', 'control-character'],
    ['an escape', '\u001b[31m', 'control-character'],
    ['a line feed', 'a\nb', 'control-character'],
    ['half a character', 'a\ud83d', 'lone-surrogate'],
    ['more than cmd.exe takes', 'x'.repeat(MAX_COMMAND_CHARS + 1), 'too-long'],
  ])('refuses %s at a prompt: misuse.bad-argument', (_what, line, reason) => {
    expect(() => checkLine(line, 'prompt', 65_001)).toThrow(refusal('line', reason));
  });

  it('refuses what the code page has no place for: misuse.bad-argument', () => {
    expect(() => checkLine('echo 世', 'prompt', 850)).toThrow(refusal('line', 'not-in-code-page'));
    expect(() => checkLine('世', 'program', 850)).toThrow(refusal('input', 'not-in-code-page'));
  });

  it('lets a program read anything that can be written down, up to its limit', () => {
    expect(() => checkLine('\u0003\u001b[A', 'program', 65_001)).not.toThrow();
    expect(() => checkLine('x'.repeat(MAX_INPUT_LINE_BYTES), 'program', 65_001)).not.toThrow();
    expect(() => checkLine('ü'.repeat(MAX_INPUT_LINE_BYTES / 2 + 1), 'program', 65_001)).toThrow(
      refusal('input', 'too-long'),
    );
    expect(() => checkLine('\udc00', 'program', 65_001)).toThrow(refusal('input', 'lone-surrogate'));
  });

  it('takes or refuses any line, and nothing else happens', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('prompt' as const, 'program' as const),
        (line, reader) => {
          try {
            checkLine(line, reader, 65_001);
          } catch (error) {
            expect(isWinRmError(error, 'misuse.bad-argument')).toBe(true);
          }
        },
      ),
    );
  });
});
