import { describe, expect, test } from 'vitest';
import { fromHex, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import { DerReader, derValue } from '../codec/der.ts';
import { readExtensions } from './_extensions.ts';

const refuse = (problem: string): never => {
  throw new RangeError(problem);
};

/** The extensions of a CA that excludes this subtree of DNS names. RFC 5280, section 4.2.1.10 */
function excluding(name: string) {
  const subtree = derValue(0x30, derValue(0x82, latin1Encode(name)));
  const constraints = derValue(0x30, derValue(0xa1, subtree));
  const oid = derValue(0x06, fromHex('551d1e') ?? NO_BYTES);
  const list = derValue(0x30, derValue(0x30, oid, derValue(0x04, constraints)));
  return readExtensions(new DerReader(list, refuse), refuse);
}

describe('readExtensions', () => {
  test.each(['', 'corp.example', '.corp.example', 'CORP.example'])('reads the constraint on names "%s"', (name) => {
    const { nameConstraints, unknownCritical } = excluding(name);
    expect(nameConstraints?.excluded.dnsNames).toEqual([name.toLowerCase()]);
    expect(unknownCritical).toEqual([]);
  });

  test.each(['corp.example.', '*.corp.example', 'corp example', '..example', '.'])(
    'takes "%s" for a constraint that cannot be judged rather than for one that holds nothing',
    (name) => {
      expect(excluding(name).unknownCritical).toEqual(['2.5.29.30[2]']);
    },
  );

  test('does not judge by the first part of a constraint that is longer than any name', () => {
    expect(excluding(`${'a.'.repeat(150)}b`).unknownCritical).toEqual(['2.5.29.30[2]']);
  });
});
