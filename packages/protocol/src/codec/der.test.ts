import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../bytes/bytes.ts';
import { fail, isWinRmError } from '../errors.ts';
import { contextTag, DER, DerReader, derValue, MAX_DER_DEPTH, oidText } from './der.ts';

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const onProblem = (problem: string): never =>
  fail('auth.malformed-token', { mechanism: 'DER', stage: 'test', problem });
const reader = (hex: string): DerReader => new DerReader(bytes(hex), onProblem);

describe('DerReader', () => {
  test.each([0, 1, 127, 128, 255, 256, 65535, 65536])('take undoes derValue for %i bytes', (length) => {
    const content = new Uint8Array(length).fill(0x30);
    const encoded = derValue(DER.octetString, content.subarray(0, 1), content.subarray(Math.min(1, length)));
    const read = new DerReader(encoded, onProblem);
    expect(read.take(DER.octetString)).toEqual(content);
    read.end();
  });

  test('inside, insideOptional, takeOptional and takeEncoded walk a structure', () => {
    const outer = reader('3009a003020105a3020400').inside(DER.sequence);
    expect(outer.insideOptional(contextTag(1))).toBeNull();
    expect(outer.takeOptional(contextTag(2))).toBeNull();
    expect(toHex(outer.takeEncoded(contextTag(0)))).toBe('a003020105');
    expect(outer.inside(contextTag(3)).peekTag()).toBe(0x04);
    expect([outer.isAtEnd, outer.peekTag()]).toEqual([true, null]);
  });

  test.each([
    ['another tag', '0401ff'],
    ['nothing', ''],
    ['no length', '30'],
    ['the indefinite length', '3080'],
    ['a length cut off', '3082ff'],
    ['a length longer than need be', '30817f'],
    ['a length led by zero', '308200ff'],
    ['a length of five bytes', '308500000000ff'],
    ['a value past the end', '300201'],
    ['a value of four gigabytes', '3084ffffffff00'],
  ])('take refuses %s', (_, hex) => {
    expect(() => reader(hex).take(DER.sequence)).toThrow('auth.malformed-token');
  });

  test('end refuses leftovers', () => {
    const read = reader('300000');
    read.take(DER.sequence);
    expect(() => read.end()).toThrow('auth.malformed-token');
  });

  test('inside refuses to go ever deeper', () => {
    let nested = derValue(DER.sequence);
    for (let depth = 0; depth < MAX_DER_DEPTH + 2; depth++) nested = derValue(DER.sequence, nested);
    const descend = (): void => {
      let read = new DerReader(nested, onProblem);
      while (!read.isAtEnd) read = read.inside(DER.sequence);
    };
    expect(descend).toThrow('auth.malformed-token');
  });

  test('any bytes give values or the error of whoever reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        const read = new DerReader(input, onProblem);
        try {
          for (let tag = read.peekTag(); tag !== null; tag = read.peekTag()) read.takeEncoded(tag);
          read.end();
        } catch (error) {
          expect(isWinRmError(error, 'auth.malformed-token')).toBe(true);
        }
      }),
    );
  });
});

describe('oidText', () => {
  test.each([
    ['2b0601050502', '1.3.6.1.5.5.2'],
    ['2b06010401823702020a', '1.3.6.1.4.1.311.2.2.10'],
    ['2a864886f712010202', '1.2.840.113554.1.2.2'],
    ['8837', '2.999'],
    ['', null],
    ['2b80', null],
    ['2b8001', null],
    ['2bffffffffff7f', null],
  ])('oidText reads %s as %s', (hex, text) => {
    expect(oidText(bytes(hex))).toBe(text);
  });
});
