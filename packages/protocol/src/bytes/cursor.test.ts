import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fail } from '../errors.ts';
import { toHex } from './bytes.ts';
import { ByteReader, ByteWriter } from './cursor.ts';

const underrun = (problem: string): never => fail('http.malformed', { where: 'cursor', problem });
const read = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes), underrun);

describe('ByteReader', () => {
  test('ByteReader reads what ByteWriter wrote', () => {
    const word = fc.nat(0xffffffff);
    const long = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.nat(255), fc.nat(65535), word, long, fc.uint8Array(), (a, b, c, d, e) => {
        const writer = new ByteWriter(1).u8(a).u16le(b).u16be(b).u32le(c).u32be(c).u64le(d).u64be(d).bytes(e);
        const reader = new ByteReader(writer.finish(), underrun);
        expect(writer.length).toBe(reader.remaining);
        expect([reader.u8(), reader.u16le(), reader.u16be(), reader.u32le(), reader.u32be()]).toEqual([a, b, b, c, c]);
        expect([reader.u64le(), reader.u64be()]).toEqual([d, d]);
        expect(reader.take(e.length)).toEqual(e);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  test('ByteReader reads a view that begins inside its buffer', () => {
    const reader = new ByteReader(Uint8Array.of(9, 9, 1, 2, 3, 9).subarray(2, 5), underrun);
    expect([reader.u8(), reader.u16be(), reader.position, reader.remaining]).toEqual([1, 0x0203, 3, 0]);
  });

  test.each([
    ['u8', (reader: ByteReader) => reader.u8()],
    ['u16le', (reader: ByteReader) => reader.u16le()],
    ['u32be', (reader: ByteReader) => reader.u32be()],
    ['u64le', (reader: ByteReader) => reader.u64le()],
    ['take', (reader: ByteReader) => reader.take(1)],
    ['slice', (reader: ByteReader) => reader.slice(0, 1)],
    ['a slice from far away', (reader: ByteReader) => reader.slice(0xffffffff, 1)],
  ])('%s past the end is the error of whoever reads', (_, use) => {
    expect(() => use(read())).toThrow('http.malformed');
  });

  test('slice reads elsewhere and stays; an empty one may point anywhere', () => {
    const reader = read(1, 2, 3);
    expect([...reader.slice(1, 2)]).toEqual([2, 3]);
    expect(reader.slice(0xffffffff, 0)).toHaveLength(0);
    expect([...reader.rest()]).toEqual([1, 2, 3]);
    expect(reader.rest()).toHaveLength(0);
  });
});

describe('ByteWriter', () => {
  test('block leads with a length known afterwards, also inside another', () => {
    const writer = new ByteWriter(2).block(4, (outer) => {
      outer.u8(7).block(2, (inner) => inner.bytes(Uint8Array.of(1, 2, 3)).block(1, () => undefined));
    });
    expect(toHex(writer.finish())).toBe('00000007' + '07' + '0004' + '010203' + '00');
  });

  test('finish gives a copy, so that writing may go on', () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.finish();
    writer.u8(2);
    expect([first, writer.finish()]).toEqual([Uint8Array.of(1), Uint8Array.of(1, 2)]);
  });
});
