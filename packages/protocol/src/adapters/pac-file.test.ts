import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1Encode, utf8Encode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import { MAX_PAC_BYTES, notFetched, readPacAddress, takePac } from './pac-file.ts';

/** A body in parts, which notes that it was dropped. */
function bodyOf(...parts: readonly Uint8Array[]) {
  const seen = { taken: 0, isDropped: false };
  async function* come() {
    for (const part of parts) {
      seen.taken += 1;
      yield await Promise.resolve(part);
    }
  }
  const destroy = (): void => {
    seen.isDropped = true;
  };
  return { seen, body: Object.assign(come(), { destroy }) };
}

describe('the address of a PAC script', () => {
  it('R32: is http or https; its fragment is dropped', () => {
    expect(readPacAddress('http://wpad.corp/wpad.dat?x=1#y').href).toBe('http://wpad.corp/wpad.dat?x=1');
    expect(readPacAddress('HTTPS://[::1]:8443/p').href).toBe('https://[::1]:8443/p');
  });

  it.each([
    ['wpad.corp/wpad.dat', 'not-a-url'],
    ['http:wpad.corp', 'not-a-url'],
    ['http://', 'not-a-url'],
    ['ftp://wpad.corp/', 'unsupported-scheme'],
    ['file:///etc/passwd', 'unsupported-scheme'],
    ['http://ana:secret@wpad.corp/', 'has-credentials'],
    ['http://@wpad.corp/', 'has-credentials'],
    ['http://wpad.corp/\r\nX: y', 'control-character'],
    [' http://wpad.corp/', 'control-character'],
    ['http://wpad.corp:0/', 'not-a-host'],
  ])('is not %j: misuse.bad-argument', (text, reason) => {
    expect(() => readPacAddress(text)).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument', details: { argument: 'url', reason } }),
    );
  });
});

describe('an answer with a PAC script', () => {
  const take = (status: number, contentType: string, ...parts: readonly Uint8Array[]) => {
    const { body, seen } = bodyOf(...parts);
    return { text: takePac('wpad', { status, contentType, body }), seen };
  };

  it.each([
    ['text/plain', utf8Encode('// é'), '// é'],
    ['', latin1Encode('// \xe9'), '// é'],
    ['text/plain; charset="iso-8859-1"', latin1Encode('// \xe9'), '// é'],
    ['text/plain; charset=utf-16le', Uint8Array.of(0x2f, 0, 0xe9, 0), '/é'],
    ['text/plain; charset=klingon', utf8Encode('é'), 'é'],
    ['text/plain; charset=utf-8', latin1Encode('\xe9'), 'é'],
    ['', Uint8Array.of(0xef, 0xbb, 0xbf, 0x41), 'A'],
  ])('is read by its charset (%j)', async (contentType, bytes, text) => {
    expect(await take(200, contentType, ...[...bytes].map((byte) => Uint8Array.of(byte))).text).toBe(text);
  });

  it('is a text whatever the bytes', async () => {
    const some = fc.asyncProperty(fc.uint8Array(), fc.string(), async (bytes, charset) => {
      expect(typeof (await take(200, `a; charset=${charset}`, bytes).text)).toBe('string');
    });
    await fc.assert(some);
  });

  it('is a mebibyte at the most, and no more of it is read: pac.not-fetched', async () => {
    const half = new Uint8Array(MAX_PAC_BYTES / 2).fill(0x20);
    expect((await take(200, '', half, half).text).length).toBe(MAX_PAC_BYTES);
    const more = take(200, '', half, half, Uint8Array.of(0x20), half);
    await expect(more.text).rejects.toMatchObject({
      code: 'pac.not-fetched',
      details: { host: 'wpad', problem: 'it is larger than a mebibyte' },
    });
    expect(more.seen).toEqual({ taken: 3, isDropped: true });
  });

  it.each([204, 206, 304, 404, 500])('is not one with status %i, whose body is not read', async (status) => {
    const other = take(status, '', utf8Encode('function FindProxyForURL() {}'));
    await expect(other.text).rejects.toMatchObject({ details: { problem: `it answered ${status}` } });
    expect(other.seen).toEqual({ taken: 0, isDropped: true });
  });
});

describe('a fetch that broke', () => {
  const calm = new AbortController().signal;

  it('is pac.not-fetched, with what the system said or how long it took', () => {
    const reset = Object.assign(new Error('read ECONNRESET, for nobody to read'), { code: 'ECONNRESET' });
    const told = (error: unknown, stop = calm) => notFetched('wpad', error, stop, 1500).details;
    expect(told(reset)).toEqual({ host: 'wpad', problem: 'the connection failed (ECONNRESET)' });
    expect(told('odd')).toEqual({ host: 'wpad', problem: 'the connection failed (unknown)' });
    expect(told(reset, AbortSignal.abort())).toEqual({ host: 'wpad', problem: 'it took longer than 2 seconds' });
  });

  it('stays what it is when it is ours already', () => {
    const denied = new WinRmError('relay.policy-denied', { host: 'wpad', port: 80, rule: 'script' });
    expect(notFetched('wpad', denied, AbortSignal.abort(), 1000)).toBe(denied);
  });
});
