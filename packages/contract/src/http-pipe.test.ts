import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrames, encodeFrames, type Frame } from './http-pipe.ts';

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string() }),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array() }),
  fc.record({ kind: fc.constant('close' as const), code: fc.integer({ min: 1000, max: 4999 }) }),
);

test('frames come back as they were put in, and no half of a body passes for a whole', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), (frames) => {
      const body = encodeFrames(frames);
      expect(decodeFrames(body)).toEqual(frames);
      for (let end = 0; end < body.length; end++) {
        const part = decodeFrames(body.subarray(0, end));
        if (part !== null) expect(part.length).toBeLessThan(frames.length);
      }
    }),
  );
});

test('any body is frames or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (body) => {
      const frames = decodeFrames(body);
      expect(frames === null || Array.isArray(frames)).toBe(true);
    }),
  );
  expect(decodeFrames(Uint8Array.of(2, 0, 0, 0, 1, 0x31))).toBeNull();
  expect(decodeFrames(Uint8Array.of(3, 0, 0, 0, 0))).toBeNull();
});
