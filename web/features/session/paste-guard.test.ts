import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inspectPaste, MAX_PASTE_CHARS } from './paste-guard.ts';

describe('inspectPaste', () => {
  test('lets one line through, and its line end does not run it', () => {
    expect(inspectPaste('dir C:\\\r\n', true)).toEqual({ kind: 'clean', text: 'dir C:\\' });
  });

  test('asks before several lines, with how many there are and the first of them', () => {
    const text = Array.from({ length: 12 }, (_, at) => `echo ${at}`).join('\r\n');
    expect(inspectPaste(text, true)).toMatchObject({
      kind: 'ask',
      lineCount: 12,
      hiddenLineCount: 4,
      preview: ['echo 0', 'echo 1', 'echo 2', 'echo 3', 'echo 4', 'echo 5', 'echo 6', 'echo 7'],
    });
  });

  test('removes and counts control characters and marks that reorder text', () => {
    expect(inspectPaste('a\x1b[31mb\u202ec', true)).toMatchObject({
      kind: 'ask',
      text: 'a[31mbc',
      removedControlCount: 2,
    });
    expect(inspectPaste('a\x03b', false)).toEqual({ kind: 'clean', text: 'ab' });
  });

  test('does not ask when the person has switched it off', () => {
    expect(inspectPaste('a\nb', false)).toEqual({ kind: 'clean', text: 'a\nb' });
  });

  test('refuses more than a command line could ever be', () => {
    expect(inspectPaste('x'.repeat(MAX_PASTE_CHARS + 1), false)).toEqual({ kind: 'too-long', limit: MAX_PASTE_CHARS });
  });

  test('gives text without controls for any paste', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (raw, isGuardOn) => {
        const verdict = inspectPaste(raw, isGuardOn);
        expect(verdict.kind === 'too-long' || !/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(verdict.text)).toBe(true);
      }),
    );
  });
});
