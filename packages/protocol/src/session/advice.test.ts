import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

const FORWARD = { hasProxy: true, form: 'absolute' } as const;
const SUPPORT = 'Proxy-Support: Session-Based-Authentication';

function sessionOver(double: WinRmDouble) {
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('alice', 'Passw0rd!'),
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
    openRoad: (lane, onHop, signal) => {
      onHop({ hop: 1, party: 'proxy', host: 'px.corp', port: 3128, stage: 'open', ms: 1, address: '' });
      return double.openRoad(lane, onHop, signal);
    },
  });
  return { session, platform };
}

describe('advice about a road that works', () => {
  it('R14: warns once, before the second leg, of a forwarding proxy that does not promise to keep a sign-in', async () => {
    const double = new WinRmDouble({ road: FORWARD, headers: ['Via: 1.1 px'] });
    const { session } = sessionOver(double);
    let requestsAtAdvice = 0;
    session.journal.watch(({ what }) => {
      if (what.event === 'advice') requestsAtAdvice += double.connections[0]?.requests.length ?? 0;
    });
    await session.open();
    expect(session.advice).toEqual([{ code: 'no-session-support', proxy: 'px.corp:3128', via: '1.1 px' }]);
    expect(requestsAtAdvice).toBe(1);
    await session.close();
  });

  it.each([
    [FORWARD, [SUPPORT]],
    [{ hasProxy: true, form: 'origin' } as const, []],
  ])('R14: says nothing where it promises, or tunnels: %j %j', async (road, headers) => {
    const { session } = sessionOver(new WinRmDouble({ road, headers }));
    await session.open();
    expect(session.advice).toEqual([]);
    await session.close();
  });

  it.each([
    [{ hasProxy: true, form: 'origin' } as const, [{ code: 'doubtful-refusal', proxy: 'px.corp:3128' }]],
    [{ hasProxy: false, form: 'origin' } as const, []],
  ])('R8, R23: leaves a doubt about a refusal that came through a tunnel in the clear: %j', async (road, advice) => {
    const { session } = sessionOver(new WinRmDouble({ road, password: 'another' }));
    await expect(session.open()).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(session.advice).toEqual(advice);
  });

  it('R12: says that a connection was moved, where one more handshake mended it', async () => {
    const double = new WinRmDouble({ road: FORWARD, headers: [SUPPORT] });
    let isMoved = false;
    double.before = ({ name }) => {
      if (name !== 'Receive' || isMoved) return undefined;
      isMoved = true;
      return { status: 401 };
    };
    const { session } = sessionOver(double);
    await session.open();
    const reading = (async () => {
      for await (const _ of session.output);
    })();
    await settled();
    double.exit(0);
    await reading;
    expect(session.advice).toMatchObject([{ code: 'moved-connection', proxy: 'px.corp:3128', status: 401 }]);
    await session.close();
  });

  it('R25: warns when a road needs more than one sign-in for twenty requests, and not of a few that were lost', async () => {
    const double = new WinRmDouble({ closeAfter: 4, road: { hasProxy: true } });
    const { session } = sessionOver(double);
    await session.open();
    await session.writeText('0\r\n');
    expect(session.advice).toEqual([]);
    for (let line = 1; line < 12; line++) await session.writeText(`${line}\r\n`);
    const { handshakes } = session.counts;
    expect(handshakes).toBeGreaterThan(4);
    expect(session.advice).toMatchObject([{ code: 'many-handshakes' }]);
    await session.close();
  });

  it('R25: does not count connections that were left alone for too long', async () => {
    const double = new WinRmDouble({ road: { hasProxy: true } });
    const { session, platform } = sessionOver(double);
    await session.open();
    for (let line = 0; line < 8; line++) {
      await platform.advance(101_000);
      await session.writeText(`${line}\r\n`);
    }
    expect(session.counts.handshakes).toBeGreaterThan(8);
    expect(session.advice).toEqual([]);
    await session.close();
  });
});
