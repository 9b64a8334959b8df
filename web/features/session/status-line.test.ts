import { type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import messages from '../../messages/en.json' with { type: 'json' };
import { statusParts } from './status-line.ts';

const facts = (
  state: SessionState,
  hops: { kind: 'http-connect' | 'http-forward'; host: string; port: number }[] = [],
) => ({
  state,
  route: { name: '', hops },
  policy: 'negotiate' as const,
  port: 5985,
  tls: null,
  sealsAlways: false,
  codePage: 65_001,
  isFallback: false,
  isElsewhere: false,
});
const error = new WinRmError('relay.lost', { reason: 'x' });
const STATES: SessionState[] = [
  { at: 'idle' },
  { at: 'dialling', hop: 1 },
  { at: 'authenticating', mechanism: 'NTLM', stage: 'negotiate' },
  { at: 'opening-shell' },
  { at: 'starting-command' },
  { at: 'ready', link: 'live' },
  { at: 'ready', link: 'reopening' },
  { at: 'ready', link: 'held' },
  { at: 'ended', exit: { signed: -1, unsigned: 4294967295 } },
  { at: 'lost', error, canReconnect: true },
  { at: 'lost', error: new WinRmError('shell.closed', { reason: 'aborted' }), canReconnect: true },
  { at: 'closed', error },
  { at: 'closed', error: null },
];

describe('statusParts', () => {
  test('says the road, the proof, the seal and what can still be read', () => {
    const hops = [{ kind: 'http-connect' as const, host: 'proxy-x', port: 3128 }];
    expect(statusParts(facts({ at: 'ready', link: 'live' }, hops)).map(({ key, values }) => [key, values])).toEqual([
      ['session.status.via.connect', { name: 'proxy-x:3128', more: 0 }],
      ['session.status.auth.negotiate', {}],
      ['session.status.sealed', {}],
      ['session.status.readable', { port: 5985 }],
      ['session.status.encoding', { codePage: '65001' }],
    ]);
  });

  test('says that TLS ends here and who vouches for the server, and nothing of what only HTTP shows', () => {
    const tls = {
      version: '1.3',
      suite: 'TLS_AES_128_GCM_SHA256',
      group: 'X25519',
      sha256: 'AB',
      trustedBy: 'pin',
      ms: 9,
    } as const;
    const parts = statusParts({ ...facts({ at: 'ready', link: 'live' }), policy: 'basic', tls, sealsAlways: true });
    expect(parts.map(({ key, values }) => [key, values])).toEqual([
      ['session.status.direct', {}],
      ['session.status.auth.basic', {}],
      ['session.status.tls', { version: '1.3', trust: 'pin' }],
      ['session.status.sealedInside', {}],
      ['session.status.encoding', { codePage: '65001' }],
    ]);
  });

  test('does not call a connection lost when the server closed the shell', () => {
    const closed = new WinRmError('shell.closed', { reason: 'aborted' });
    expect(statusParts(facts({ at: 'lost', error: closed, canReconnect: true }))[0]?.key).toBe(
      'session.status.closedByServer',
    );
  });

  test('claims nothing about sealing unless the session is ready', () => {
    for (const state of STATES.filter(({ at }) => at !== 'ready')) {
      expect(statusParts(facts(state)).map((part) => part.id)).toEqual(['link']);
    }
  });

  test('has a sentence for each key it can give', () => {
    const roads = [
      [],
      [{ kind: 'http-connect' as const, host: 'a', port: 1 }],
      [{ kind: 'http-forward' as const, host: 'a', port: 1 }],
    ];
    for (const state of STATES) {
      for (const { key } of roads.flatMap((hops) => statusParts(facts(state, hops)))) {
        const sentence = key
          .split('.')
          .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], messages);
        expect(sentence, key).toBeTypeOf('string');
      }
    }
  });

  test('tells of HTTP requests in place of a WebSocket, and of nothing but the other tab once that has the session', () => {
    const ready = facts({ at: 'ready', link: 'live' });
    expect(statusParts({ ...ready, isFallback: true }).map(({ id }) => id)).toContain('fallback');
    expect(statusParts(ready).map(({ id }) => id)).not.toContain('fallback');
    expect(statusParts({ ...ready, isElsewhere: true }).map(({ key }) => key)).toEqual(['session.status.elsewhere']);
  });
});
