import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64 } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import {
  addPin,
  exportPins,
  hasThumbprint,
  importPins,
  MAX_PINS,
  mergePins,
  NO_PINS,
  parseThumbprint,
  pinsFor,
  pinTarget,
  removePins,
  replacePins,
} from './pins.ts';
import { type Pin, pinOf } from './trust.ts';
import vectors from './vectors/certificates.json' with { type: 'json' };
import { parseCertificate, sha1Thumbprint, sha256Thumbprint } from './x509.ts';

const leaf = parseCertificate(fromBase64(vectors.certificates.leaf) ?? expect.fail('not base64'));
const target = pinTarget('srv1', 5986);
const pin = (digit: string, sinceMs = 1): Pin => ({ sha256: digit.repeat(64), issuer: 'CN=i', sinceMs });
const refused = { code: 'misuse.bad-argument' };

describe('the pin store', () => {
  test.each([
    ['SRV1.Corp', 5986, 'srv1.corp:5986'],
    ['10.0.0.1', 443, '10.0.0.1:443'],
    ['FD00::1', 5986, '[fd00::1]:5986'],
    ['[fd00::1]', 5986, '[fd00::1]:5986'],
  ])('pinTarget writes %s and %i as %s', (host, port, text) => {
    expect(pinTarget(host, port)).toBe(text);
  });

  test('addPin keeps a target’s pins apart from another’s, and each certificate once', () => {
    const store = addPin(addPin(addPin(NO_PINS, target, pin('A')), 'srv2:5986', pin('B')), target, pin('C'));
    expect(pinsFor(store, target)).toEqual([pin('A'), pin('C')]);
    expect(pinsFor(store, 'srv2:5986')).toEqual([pin('B')]);
    expect(pinsFor(store, 'srv1:443')).toEqual([]);
    expect(pinsFor(addPin(store, target, pin('A', 9)), target)).toEqual([pin('C'), pin('A', 9)]);
    expect(pinsFor(replacePins(store, target, pin('D')), target)).toEqual([pin('D')]);
    expect(removePins(store, target)).toEqual([{ target: 'srv2:5986', ...pin('B') }]);
  });

  test('mergePins adds what is new and keeps what was checked', () => {
    const mine = addPin(NO_PINS, target, pin('A'));
    const theirs = addPin(addPin(addPin(NO_PINS, target, pin('B')), 'srv2:5986', pin('C')), 'srv2:5986', pin('D'));
    const { store, conflicts } = mergePins(mine, theirs);
    expect(conflicts).toEqual([target]);
    expect(pinsFor(store, target)).toEqual([pin('A')]);
    expect(pinsFor(store, 'srv2:5986')).toEqual([pin('C'), pin('D')]);
    expect(mergePins(mine, mine)).toEqual({ store: mine, conflicts: [] });
  });

  test('importPins undoes exportPins', () => {
    const store = addPin(addPin(NO_PINS, target, pinOf(leaf, 5)), '[fd00::1]:5986', pin('B'));
    expect(importPins(exportPins(store))).toEqual(store);
    expect(importPins(exportPins(NO_PINS))).toEqual([]);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['another format', '{"format":"x","version":1,"pins":[]}'],
    ['another version', '{"format":"fairlead-pins","version":2,"pins":[]}'],
    ['no pins', '{"format":"fairlead-pins","version":1}'],
    ['pins that are no list', '{"format":"fairlead-pins","version":1,"pins":{}}'],
    ['one field more', '{"format":"fairlead-pins","version":1,"pins":[],"more":1}'],
    ['a pin that is none', '{"format":"fairlead-pins","version":1,"pins":[null]}'],
  ])('importPins refuses %s: misuse.bad-argument', (_, text) => {
    expect(() => importPins(text)).toThrow(expect.objectContaining(refused));
  });

  test.each([
    ['target', 'srv1'],
    ['target', 'SRV1:5986'],
    ['target', 'srv1:0'],
    ['target', 5],
    ['target', 'srv1.corp:65536'],
    ['target', 'srv1.corp:99999'],
    ['sha256', 'a'.repeat(64)],
    ['sha256', 'A'.repeat(63)],
    ['sha256', null],
    ['issuer', 'x'.repeat(513)],
    ['issuer', undefined],
    ['sinceMs', -1],
    ['sinceMs', 1.5],
    ['sinceMs', '1'],
    ['__proto__', 1],
  ])('importPins refuses a pin whose %s is %s', (field, value) => {
    const good = { target, ...pin('A') };
    const text = (one: object): string => JSON.stringify({ format: 'fairlead-pins', version: 1, pins: [one] });
    expect(importPins(text(good))).toEqual([good]);
    expect(() => importPins(text(Object.fromEntries([...Object.entries(good), [field, value]])))).toThrow(
      expect.objectContaining(refused),
    );
  });

  test('importPins and addPin know an end: misuse.bad-argument', () => {
    const many = Array.from({ length: MAX_PINS + 1 }, (_, i) => ({ target: `h${i}:5986`, ...pin('A') }));
    const text = exportPins(many);
    expect(() => importPins(text)).toThrow(expect.objectContaining(refused));
    expect(() => importPins(' '.repeat(5_000_001))).toThrow(expect.objectContaining(refused));
    expect(() => addPin(many, target, pin('A'))).toThrow(expect.objectContaining(refused));
  });

  test('importPins gives pins or misuse.bad-argument for any JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          importPins(text);
          expect.fail('it was taken');
        } catch (error) {
          expect(isWinRmError(error, 'misuse.bad-argument') ? '' : error).toBe('');
        }
      }),
    );
  });
});

describe('thumbprints', () => {
  test('hasThumbprint takes both kinds, as tools print and dialogs copy them', () => {
    const [sha256, sha1] = [sha256Thumbprint(leaf), sha1Thumbprint(leaf)];
    const colons = (text: string): string => text.replace(/(..)(?!$)/g, '$1:');
    const windows = `\u200e${sha1.toLowerCase().replace(/(..)/g, '$1 ')}`;
    for (const text of [sha256, sha1, colons(sha256), windows, `  ${sha256.toLowerCase()}\n`]) {
      expect(hasThumbprint(leaf, text)).toBe(true);
    }
    expect(hasThumbprint(leaf, 'A'.repeat(64))).toBe(false);
    expect(hasThumbprint(leaf, 'A'.repeat(40))).toBe(false);
  });

  test.each(['', '   ', 'ABCD', 'G'.repeat(64), 'A'.repeat(65), `sha256:${'A'.repeat(64)}`])(
    'parseThumbprint refuses "%s": misuse.bad-argument',
    (text) => {
      expect(() => parseThumbprint(text)).toThrow(expect.objectContaining(refused));
    },
  );
});
