import { describe, expect, it } from 'vitest';
import { TlsGuard } from './tls-guard.ts';

describe('TlsGuard', () => {
  it('lets a handshake and everything after it pass, unchanged', () => {
    const guard = new TlsGuard();
    expect([...guard.feed(new Uint8Array(0))]).toEqual([]);
    expect([...guard.feed(Uint8Array.of(22))]).toEqual([22]);
    expect([...guard.feed(Uint8Array.of(80, 79, 83, 84))]).toEqual([80, 79, 83, 84]);
  });

  it('refuses HTTP as the first byte: proxy.forward-refused (R5)', () => {
    expect(() => new TlsGuard().feed(Uint8Array.of(80))).toThrow(
      expect.objectContaining({ code: 'proxy.forward-refused' }),
    );
  });
});
