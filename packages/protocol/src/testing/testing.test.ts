import { describe, expect, it } from 'vitest';
import { latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import { type Decoder, feedEveryWay, fixedPlatform, scriptedPeer, settled, streamPair } from './index.ts';

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : latin1Decode(bytes));

describe('streamPair', () => {
  it('carries bytes, splits them, and ends', async () => {
    const { near, far } = streamPair({ splitBytes: 2 });
    await near.write(latin1Encode('abc'));
    await near.end();
    expect([text(await far.read()), text(await far.read()), await far.read(), await far.read()]).toEqual([
      'ab',
      'c',
      null,
      null,
    ]);
    await expect(near.write(latin1Encode('x'))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
  });

  it('holds and releases', async () => {
    const { near, far, hold, release } = streamPair();
    hold();
    await near.write(latin1Encode('abc'));
    let got: string | null = '';
    const reading = far.read().then((bytes) => {
      got = text(bytes);
    });
    await settled();
    expect(got).toBe('');
    release();
    await reading;
    expect(got).toBe('abc');
  });

  it('breaks both sides when it is cut', async () => {
    const { near, far, cut } = streamPair();
    const reading = far.read();
    cut();
    await expect(reading).rejects.toMatchObject({ code: 'http.closed-early' });
    await expect(near.write(latin1Encode('x'))).rejects.toMatchObject({ code: 'http.closed-early' });
  });

  it('ends the far side when the near one is destroyed, and refuses two reads at once', async () => {
    const { near, far } = streamPair();
    const reading = near.read();
    await expect(near.read()).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    near.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'http.closed-early' });
    expect(await far.read()).toBeNull();
  });
});

describe('fixedPlatform', () => {
  it('moves time only when told and wakes sleepers in order', async () => {
    const platform = fixedPlatform({ random: Uint8Array.of(9) });
    const woken: number[] = [];
    for (const ms of [30, 10, 20]) void platform.sleep(ms).then(() => woken.push(ms));
    await platform.advance(20);
    expect(woken).toEqual([10, 20]);
    expect([platform.monotonicMs(), platform.sleeperCount]).toEqual([20, 1]);
    expect(platform.now() - fixedPlatform().now()).toBe(20);
    expect(platform.random(4)).toEqual(Uint8Array.of(9, 0, 1, 2));
  });
});

describe('feedEveryWay', () => {
  /** Gives each byte; a careless one gives each piece. */
  const decoder = (isCareless: boolean): Decoder<string> => {
    const queue: Uint8Array[] = [];
    return {
      feed(bytes) {
        if (isCareless) queue.push(bytes);
        else for (const byte of bytes) queue.push(Uint8Array.of(byte));
      },
      feedEnd: () => undefined,
      next() {
        const first = queue.shift();
        if (first?.[0] === 0) fail('http.malformed', { where: 'x', problem: 'y' });
        return first === undefined ? 'need-bytes' : latin1Decode(first);
      },
      takeLeftover: () => NO_BYTES,
    };
  };

  it('gives events and the code of the error', () => {
    expect(feedEveryWay(() => decoder(false), Uint8Array.of(65, 66, 0, 67))).toMatchObject({
      events: ['A', 'B'],
      error: 'http.malformed',
    });
  });

  it('finds a decoder to which it matters how bytes come', () => {
    expect(() => feedEveryWay(() => decoder(true), latin1Encode('abc'))).toThrow(/byte by byte/);
  });
});

describe('scriptedPeer', () => {
  it('answers, and says what it expected instead', async () => {
    const { near, far } = streamPair({ splitBytes: 1 });
    const peer = scriptedPeer(far, [{ expect: 'ping' }, { send: 'pong' }, { expect: /^[a-z]+!/ }, { expect: 'x' }]);
    await near.write(latin1Encode('pinghey!y'));
    expect(text(await near.read())).toBe('p');
    await expect(peer).rejects.toThrow('expected "x" but got "y"');
  });
});
