import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { toBase64, utf8Encode } from '../bytes/bytes.ts';
import { Journal } from '../journal.ts';
import { fixedPlatform } from '../testing/index.ts';
import { tlsFront } from '../testing/tls-front.ts';
import { answer, type DoubleReply, fault, WinRmDouble } from '../testing/winrm-double.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { type AffinityOptions, checkAffinity, MAX_AFFINITY_REQUESTS } from './affinity.ts';
import { parseTarget } from './target.ts';

const PASSWORD = 'Passw0rd!';
const FORWARD = { hasProxy: true, form: 'absolute' } as const;
const TUNNEL = { hasProxy: true, form: 'origin' } as const;

function optionsFor(double: WinRmDouble, more: Partial<AffinityOptions> = {}): AffinityOptions {
  return {
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('alice', PASSWORD),
    platform: fixedPlatform({ nowMs: Date.UTC(2030, 0, 1) }),
    openRoad: (lane, onHop, signal) => {
      onHop({ hop: 1, party: 'proxy', host: 'px.corp', port: 3128, stage: 'open', ms: 1, address: '' });
      return double.openRoad(lane, onHop, signal);
    },
    ...more,
  };
}

/** From the nth request under keys on, another reply. */
function from(count: number, reply: DoubleReply): WinRmDouble['before'] {
  let seen = 0;
  return () => (++seen >= count ? reply : undefined);
}

describe('a check whether a road keeps connections together', () => {
  it.each([
    [FORWARD, 'forward'],
    [TUNNEL, 'tunnel'],
    [{ hasProxy: false, form: 'origin' } as const, 'direct'],
  ])('R10, R24: finds that it does: one connection, one handshake, every request answered: %j', async (road, name) => {
    const double = new WinRmDouble({ road });
    expect(await checkAffinity(optionsFor(double))).toMatchObject({
      ...{ verdict: 'kept', road: name, isSecured: false, mechanism: 'NTLM', sent: 10, answered: 10 },
      ...{ connections: 1, handshakes: 1, exchanges: 12, error: null, allowsUnencrypted: null },
    });
    expect(double.names).toEqual(Array.from({ length: 10 }, () => 'Get'));
    expect(double.connections[0]?.pair.destroyed.near()).not.toBeNull();
  });

  it.each([1, 4, 10])('R10, R23, R24: finds the request that was moved, number %i, and asks no more', async (nth) => {
    const double = new WinRmDouble({ road: FORWARD, headers: ['Via: 1.1 px'] });
    double.before = from(nth, { status: 401, headers: ['WWW-Authenticate: NTLM'] });
    expect(await checkAffinity(optionsFor(double))).toMatchObject({
      ...{ verdict: 'moved', sent: nth, answered: nth - 1, connections: 1, handshakes: 1 },
      error: {
        code: 'proxy.no-affinity',
        details: {
          hop: 1,
          host: 'px.corp',
          port: 3128,
          status: 401,
          via: '1.1 px',
          sign: 'refused',
          answered: nth - 1,
        },
      },
      advice: [{ code: 'no-session-support' }],
    });
    expect(double.names).toHaveLength(nth);
  });

  it('R16: finds a connection that is closed under way, and opens no other', async () => {
    const double = new WinRmDouble({ road: FORWARD, closeAfter: 5 });
    expect(await checkAffinity(optionsFor(double))).toMatchObject({
      ...{ verdict: 'closed', answered: 3, connections: 1, handshakes: 1 },
      error: { code: 'proxy.drops-connection', details: { host: 'px.corp', stage: 'signed-in' } },
    });
  });

  it('R27: takes a fault for an answer, and reads AllowUnencrypted where the server lets it', async () => {
    const denied = new WinRmDouble({ road: TUNNEL });
    denied.before = ({ messageId }) => fault(messageId, '5', 'wsman:AccessDenied', 'Access is denied.');
    expect(await checkAffinity(optionsFor(denied))).toMatchObject({
      ...{ verdict: 'kept', answered: 10, allowsUnencrypted: null },
    });
    for (const allowsUnencrypted of [true, false]) {
      const open = new WinRmDouble({ road: TUNNEL });
      const cfg = 'xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config"';
      const service = `<cfg:Service><cfg:AllowUnencrypted>${allowsUnencrypted}</cfg:AllowUnencrypted></cfg:Service>`;
      open.before = ({ messageId }) => answer(messageId, `<cfg:Config ${cfg}>${service}</cfg:Config>`);
      expect(await checkAffinity(optionsFor(open, { count: 1 }))).toMatchObject({ verdict: 'kept', allowsUnencrypted });
    }
  });

  it('does the same inside TLS, where only something that opens TLS could move it', async () => {
    const https = (double: WinRmDouble, policy: AffinityOptions['policy'] = 'negotiate-raw') =>
      optionsFor(double, {
        target: parseTarget('https://peer').target,
        policy,
        openRoad: tlsFront(double.openRoad, peers.p256).openRoad,
        trust: { policy: { roots: [], pins: [] }, ask: async () => 'trust-once' },
      });
    const server = { password: PASSWORD, takesPlain: true, road: TUNNEL };
    expect(await checkAffinity(https(new WinRmDouble(server)))).toMatchObject({
      ...{ verdict: 'kept', isSecured: true, road: 'tunnel', answered: 10, handshakes: 1 },
    });
    const double = new WinRmDouble(server);
    double.before = from(3, { status: 401, headers: ['WWW-Authenticate: Negotiate'] });
    expect(await checkAffinity(https(double))).toMatchObject({
      ...{ verdict: 'moved', answered: 2, error: { code: 'proxy.no-affinity', details: { road: 'tls' } } },
    });
    const standing = `Basic ${toBase64(utf8Encode(`alice:${PASSWORD}`))}`;
    expect(await checkAffinity(https(new WinRmDouble({ ...server, standing }), 'basic'))).toMatchObject({
      ...{ verdict: 'unbound', answered: 10, mechanism: 'Basic' },
    });
  });

  it('throws what is about something else, and takes 1 to 100 requests', async () => {
    const wrong = new WinRmDouble({ password: 'another', road: TUNNEL });
    await expect(checkAffinity(optionsFor(wrong))).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(wrong.connections).toHaveLength(1);
    const double = new WinRmDouble();
    for (const count of [0, MAX_AFFINITY_REQUESTS + 1, 1.5]) {
      await expect(checkAffinity(optionsFor(double, { count }))).rejects.toMatchObject({
        code: 'misuse.bad-argument',
        details: { argument: 'count', reason: 'out-of-range', limit: 100 },
      });
    }
    expect(double.connections).toHaveLength(0);
    const journal = new Journal(() => 0);
    expect(await checkAffinity(optionsFor(double, { count: 100, journal }))).toMatchObject({ answered: 100 });
    expect(journal.entries.filter(({ what }) => what.event === 'exchange')).toHaveLength(100);
  });
});
