import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { createAuthenticator } from '../auth/select.ts';
import { Journal } from '../journal.ts';
import type { StandingAuthorization } from '../security.ts';
import { fixedPlatform, streamPair } from '../testing/index.ts';
import { LaneConnection, type LaneConnectionOptions } from './lane.ts';

const BASIC: StandingAuthorization = {
  party: 'server',
  scheme: 'Basic',
  mechanism: 'Basic',
  user: 'alice',
  token: () => Uint8Array.of(1),
};

function options(changes: Partial<LaneConnectionOptions>) {
  const pair = streamPair();
  const platform = fixedPlatform();
  const setting: LaneConnectionOptions = {
    name: 'control',
    road: { stream: pair.near, form: 'origin', hasProxy: false },
    place: { authority: 'srv:5986', path: '/wsman', url: 'https://srv:5986/wsman' },
    signIn: createAuthenticator({
      policy: 'ntlm',
      credential: parseCredential('alice', 'Passw0rd!'),
      spn: 'http/srv',
      workstation: 'W',
      binding: null,
      platform,
    }),
    isSecured: true,
    sealing: 'always',
    platform,
    journal: new Journal(() => 0),
    counts: { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 },
    signal: new AbortController().signal,
    ...changes,
  };
  return { pair, setting };
}

describe('LaneConnection', () => {
  const place = { authority: 'srv:5985', path: '/wsman', url: 'http://srv:5985/wsman' };
  it.each([
    ['plain envelopes without TLS', { sealing: 'optional', isSecured: false }],
    ['plain envelopes to an http URL', { sealing: 'optional', place }],
    ['Basic without TLS', { sealing: 'optional', signIn: BASIC, isSecured: false }],
    ['Basic to an http URL', { sealing: 'optional', signIn: BASIC, place }],
    ['sealing without keys', { signIn: BASIC }],
  ] as const)('refuses %s before a byte is sent: misuse.wrong-state', async (_title, changes) => {
    const { pair, setting } = options(changes);
    await expect(LaneConnection.open(setting, null)).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    expect(pair.written.near()).toEqual(new Uint8Array(0));
  });
});
