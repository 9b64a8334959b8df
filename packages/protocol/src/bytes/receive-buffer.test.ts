import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, latin1Decode, latin1Encode } from './bytes.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

describe('ReceiveBuffer', () => {
  it('gives back what was appended, in order, however it was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 30 }),
        fc.infiniteStream(fc.nat(5000)),
        (pieces, sizes) => {
          const buffer = new ReceiveBuffer();
          const taken: Uint8Array[] = [];
          for (const piece of pieces) {
            buffer.append(piece);
            const size = sizes.next().value ?? 0;
            const some = buffer.take(Math.min(size, buffer.length));
            if (some !== null) taken.push(some);
          }
          taken.push(buffer.takeAll());
          expect(concatBytes(...taken)).toEqual(concatBytes(...pieces));
          expect(buffer.length).toBe(0);
        },
      ),
    );
  });

  it('finds the same lines whole and byte by byte', () => {
    const text = 'one\r\ntwo\n\nlast';
    const whole = new ReceiveBuffer();
    whole.append(latin1Encode(text));
    const lines: (string | null)[] = [];
    for (let i = 0; i < 4; i++) {
      const line = whole.takeLine();
      lines.push(line === null ? null : latin1Decode(line));
    }
    expect(lines).toEqual(['one\r', 'two', '', null]);
    const slow = new ReceiveBuffer();
    const slowLines: string[] = [];
    for (const byte of latin1Encode(text)) {
      slow.append(Uint8Array.of(byte));
      const line = slow.takeLine();
      if (line !== null) slowLines.push(latin1Decode(line));
    }
    expect(slowLines).toEqual(['one\r', 'two', '']);
    expect(latin1Decode(slow.takeAll())).toBe('last');
  });

  it('finds a line feed that was passed over by a take and came again', () => {
    const buffer = new ReceiveBuffer();
    buffer.append(latin1Encode('abcdef'));
    expect(buffer.takeLine()).toBeNull();
    buffer.take(4);
    buffer.append(latin1Encode('\nx\n'));
    expect(latin1Decode(buffer.takeLine() ?? new Uint8Array())).toBe('ef');
    expect(latin1Decode(buffer.takeLine() ?? new Uint8Array())).toBe('x');
  });

  it('takes nothing when there is less than asked for', () => {
    const buffer = new ReceiveBuffer();
    buffer.append(Uint8Array.of(1, 2));
    expect(buffer.take(3)).toBeNull();
    expect(buffer.length).toBe(2);
    expect([buffer.byteAt(0), buffer.byteAt(1), buffer.byteAt(2), buffer.byteAt(-1)]).toEqual([1, 2, -1, -1]);
    expect(buffer.peek(1)).toEqual(Uint8Array.of(1));
  });

  it('hands out copies, so later bytes cannot change earlier ones', () => {
    const buffer = new ReceiveBuffer();
    const source = Uint8Array.of(1, 2, 3);
    buffer.append(source);
    source.fill(9);
    const taken = buffer.takeAll();
    buffer.append(Uint8Array.of(7, 7, 7));
    expect(taken).toEqual(Uint8Array.of(1, 2, 3));
  });
});
