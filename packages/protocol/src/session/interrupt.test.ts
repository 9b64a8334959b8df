import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { WinRmError } from '../errors.ts';
import type { RoadLink, RoadOpener } from '../opened-road.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

/** An interactive session whose first Send is held back by the server until `answer` is called. */
async function withHeldSend(openRoad?: (double: WinRmDouble) => RoadOpener) {
  const double = new WinRmDouble();
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad: openRoad?.(double) ?? double.openRoad,
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
  await session.open();
  let answer: () => void = () => undefined;
  double.before = ({ name }) => {
    if (name !== 'Send') return undefined;
    double.before = () => undefined;
    return new Promise((resolve) => {
      answer = () => resolve(undefined);
    });
  };
  const sent = session.writeText('under way\r\n');
  await settled();
  const order = (): string[] => double.names.filter((name) => name === 'Send' || name === 'Signal');
  return { double, platform, session, sent, order, answer: () => answer() };
}

describe('Ctrl+C', () => {
  it('goes before everything that was typed ahead, right after the Send that is under way', async () => {
    const { double, session, sent, order, answer } = await withHeldSend();
    const ahead = [session.writeText('ahead\r\n'), session.write(new Uint8Array(1_000_000).fill(120))];
    const interrupted = session.interrupt();
    await settled();
    expect(order()).toEqual(['Send']); // one request at a time on one connection
    answer();
    await interrupted;
    await sent;
    await Promise.all(ahead);
    expect(order().slice(0, 3)).toEqual(['Send', 'Signal', 'Send']);
    expect(order().length).toBeGreaterThan(4);
    expect(double.signals).toEqual(['ctrl_c']);
    await session.close();
  });

  it('waits with a Send whose road is held, for no longer than the road, and is sent once', async () => {
    const tell: ((link: RoadLink) => void)[] = [];
    const { double, platform, session, sent, answer } = await withHeldSend((inner) => async (...words) => ({
      ...(await inner.openRoad(...words)),
      watchLink: (listener) => {
        tell.push(listener);
        return () => {};
      },
    }));
    const link = { via: 'websocket', heldBytes: 0, sinceMs: 0, retryInMs: 0, givenUpInMs: null } as const;
    tell[0]?.({ ...link, state: 'held', resumedCount: 0 });
    const interrupted = session.interrupt();
    await platform.advance(200_000); // longer than any request may take
    expect(session.state).toEqual({ at: 'ready', link: 'held' });
    expect(double.signals).toEqual([]);
    tell[0]?.({ ...link, state: 'live', resumedCount: 1 });
    answer();
    await sent;
    await interrupted;
    expect(double.signals).toEqual(['ctrl_c']);
    await session.close();
  });

  it('follows the line that was typed before it when both have waited for a lost road', async () => {
    let isBroken = false;
    const { double, platform, session, order, answer, sent } = await withHeldSend((inner) => (...words) => {
      if (isBroken) throw new WinRmError('relay.unreachable', { url: '' });
      return inner.openRoad(...words);
    });
    answer();
    await sent;
    isBroken = true;
    double.endConnections();
    await settled();
    const line = session.writeText('typed\r\n');
    const interrupted = session.interrupt();
    await platform.advance(1000);
    isBroken = false;
    for (let step = 0; step < 20; step++) await platform.advance(250);
    await line;
    await interrupted;
    expect(order()).toEqual(['Send', 'Send', 'Signal']);
    await session.close();
  });
});
