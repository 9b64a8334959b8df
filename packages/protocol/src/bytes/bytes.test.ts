import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, toBase64 } from './bytes.ts';

describe('fromBase64', () => {
  test('takes back what toBase64 wrote, with white space anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, at) => {
        const text = toBase64(bytes);
        expect(fromBase64(text)).toEqual(bytes);
        const cut = at % (text.length + 1);
        expect(fromBase64(`${text.slice(0, cut)}\r\n ${text.slice(cut)}`)).toEqual(bytes);
      }),
    );
  });

  test('gives null for everything that is not the one spelling of some bytes', () => {
    const isCanonical = (text: string) =>
      /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) && btoa(atob(text)) === text;
    const unit = fc.constantFrom(...'AZaz09+/=-_*\u00ff\u0141\u4141');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        expect(fromBase64(text) !== null).toBe(isCanonical(text));
      }),
      { numRuns: 2000 },
    );
    for (const text of ['AB', 'AB==', 'ABC=', 'A===', '====', 'AA=A', 'QUJ\u0141', 'AAAAAA-A']) {
      expect(fromBase64(text), text).toBeNull();
    }
  });
});
