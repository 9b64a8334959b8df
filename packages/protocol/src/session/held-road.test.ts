import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { utf8Decode } from '../bytes/bytes.ts';
import type { RoadLink, RoadOpener } from '../opened-road.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

const LINK = { via: 'websocket', heldBytes: 0, sinceMs: 0, retryInMs: 0, givenUpInMs: null, resumedCount: 0 } as const;

/** A ready interactive session, and the links of its roads in the order of their opening. */
async function scene() {
  const double = new WinRmDouble();
  const tell: ((link: RoadLink) => void)[] = [];
  const openRoad: RoadOpener = async (...words) => ({
    ...(await double.openRoad(...words)),
    watchLink: (listener) => {
      tell.push(listener);
      return () => {};
    },
  });
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad,
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
  await session.open();
  const seen = { text: '' };
  void (async () => {
    for await (const { stream, bytes } of session.output) seen.text += stream === 'gap' ? '|' : utf8Decode(bytes);
  })().catch(() => undefined);
  await settled();
  const all = (state: RoadLink['state']) => {
    for (const one of [...tell]) one({ ...LINK, state });
  };
  const sent = () => double.input.map(({ text }) => text);
  return { double, platform, session, all, sent, seen };
}

describe('while a road is held', () => {
  it('nothing is written to it, and a line goes out once when it is live again', async () => {
    const { double, session, all, sent } = await scene();
    all('held');
    const before = double.operations.length;
    const writing = Promise.all([session.writeText('one\r\n'), session.writeText('two\r\n')]);
    await settled();
    expect(double.operations).toHaveLength(before);
    all('live');
    await writing;
    expect(sent()).toEqual(['one\r\n', 'two\r\n']);
    expect(double.connections).toHaveLength(2);
    await session.close();
  });

  it('a line that waits when it is lost goes out once on the road that is opened in its place', async () => {
    const { double, session, all, sent, seen } = await scene();
    all('held');
    const writing = Promise.all([session.writeText('one\r\n'), session.writeText('two\r\n')]);
    await settled();
    expect(sent()).toEqual([]);
    double.endConnections(); // nothing that was written to the dead link would ever arrive
    all('lost');
    await writing;
    expect(sent()).toEqual(['one\r\n', 'two\r\n']);
    expect(seen.text).not.toContain('fate');
    await session.close();
  });

  it('a road that says it is lost is not written to, although its stream has said nothing yet', async () => {
    const { double, session, all, sent } = await scene();
    all('lost');
    await session.writeText('one\r\n');
    expect(sent()).toEqual(['one\r\n']);
    expect(double.connections).toHaveLength(3);
    await session.close();
  });

  it('Ctrl+C waits as well, and leaving ends the wait', async () => {
    const { double, session, all } = await scene();
    all('held');
    const interrupting = session.interrupt();
    await settled();
    expect(double.signals).toEqual([]);
    all('live');
    await interrupting;
    expect(double.signals).toHaveLength(1);
    all('held');
    const writing = session.writeText('one\r\n');
    const failed = expect(writing).rejects.toMatchObject({ code: 'session.cancelled' });
    await settled();
    await session.leave();
    await failed;
    expect(double.input).toEqual([]);
  });

  it('what may be missing is told as soon as the road is opened anew, not with the next output', async () => {
    const { double, platform, session, all, seen } = await scene();
    all('held');
    double.endConnections();
    all('lost');
    await settled();
    expect(double.operations.at(-1)).toMatchObject({ name: 'Receive' });
    expect(double.operations.at(-1)?.xml).toContain('OperationTimeout>PT1S<');
    double.expire();
    await platform.advance(250);
    expect(seen.text).toBe('|');
    await session.close();
  });
});
