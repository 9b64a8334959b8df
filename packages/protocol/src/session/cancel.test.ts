import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import type { RoadOpener } from '../opened-road.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

const never = new Promise<never>(() => undefined);

/** A double that stops answering at a stage, whatever is aborted. */
function stuckAt(stage: string): { double: WinRmDouble; openRoad: RoadOpener } {
  const double = new WinRmDouble();
  if (stage === 'the road') return { double, openRoad: () => never };
  let legs = 0;
  if (stage === 'the first leg' || stage === 'the last leg') {
    const stuck = stage === 'the first leg' ? 1 : 2;
    const openRoad: RoadOpener = async (...all) => {
      const road = await double.openRoad(...all);
      const { stream } = road;
      const write = (bytes: Uint8Array) => (++legs >= stuck ? Promise.resolve() : stream.write(bytes));
      return {
        ...road,
        stream: {
          ...stream,
          label: 'stuck',
          write,
          read: () => stream.read(),
          end: () => stream.end(),
          destroy: () => stream.destroy(),
        },
      };
    };
    return { double, openRoad };
  }
  double.before = ({ name }) => (name === stage ? never : undefined);
  return { double, openRoad: double.openRoad };
}

function sessionAt(openRoad: RoadOpener, kind: 'interactive' | 'command') {
  const shell = { kind, command: 'x', codePage: 65001 };
  const { target } = parseTarget('srv1');
  const credential = parseCredential('alice', 'Passw0rd!');
  const platform = fixedPlatform();
  const session = new Session({
    target,
    policy: 'ntlm',
    credential,
    openRoad,
    platform,
    shell,
    bodyOnLastLeg: 'never',
  });
  return { session, platform };
}

describe('cancelling', () => {
  const stages = ['the road', 'the first leg', 'the last leg', 'Create', 'Command'];
  it.each(stages)('takes effect at once while waiting for %s: session.cancelled', async (stage) => {
    for (const kind of ['interactive', 'command'] as const) {
      const { double, openRoad } = stuckAt(stage);
      const { session, platform } = sessionAt(openRoad, kind);
      const cancel = new AbortController();
      const opening = session.open(cancel.signal);
      await settled();
      cancel.abort();
      // No time passes on this platform, so this resolves only if nothing waits for a timer.
      await expect(opening).rejects.toMatchObject({ code: 'session.cancelled' });
      expect(session.state).toMatchObject({ at: 'closed', error: { code: 'session.cancelled' } });
      const closing = session.close();
      await settled();
      await platform.advance(10_000);
      await closing;
      expect(double.connections.every(({ pair }) => pair.destroyed.near() !== null)).toBe(true);
      if (stage === 'Command') expect(double.names).toContain('Delete');
    }
  });

  it.each(stages)('by closing the session does the same while waiting for %s', async (stage) => {
    const { openRoad } = stuckAt(stage);
    const { session, platform } = sessionAt(openRoad, 'command');
    const opening = session.open();
    await settled();
    const closing = session.close();
    await expect(opening).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(session.state).toEqual({ at: 'closed', error: null });
    await settled();
    await platform.advance(10_000);
    await closing;
  });

  it('before anything began connects nowhere', async () => {
    const { double, openRoad } = stuckAt('nothing');
    const { session } = sessionAt(openRoad, 'command');
    const cancel = new AbortController();
    cancel.abort();
    await expect(session.open(cancel.signal)).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(double.connections).toEqual([]);
  });

  it('is not what a fault below is called: relay.lost', async () => {
    const { session } = sessionAt(() => Promise.reject(new TypeError('secret cause')), 'command');
    await expect(session.open()).rejects.toMatchObject({ code: 'relay.lost' });
    expect(JSON.stringify(session.state)).not.toContain('secret cause');
  });

  it('destroys a road that stands only after nobody waits for it', async () => {
    const double = new WinRmDouble();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { session } = sessionAt(async (...all) => {
      await gate;
      return await double.openRoad(...all);
    }, 'command');
    const opening = session.open();
    await settled();
    await session.close();
    await expect(opening).rejects.toMatchObject({ code: 'session.cancelled' });
    release();
    await settled();
    expect(double.connections[0]?.pair.destroyed.near()).not.toBeNull();
  });
});

describe('closing', () => {
  it('is bounded when the server answers nothing any more', async () => {
    const { double, openRoad } = stuckAt('Signal');
    const { session, platform } = sessionAt(openRoad, 'interactive');
    await session.open();
    const output = session.output[Symbol.asyncIterator]().next();
    await settled();
    let isClosed = false;
    const closing = session.close().then(() => {
      isClosed = true;
    });
    await settled();
    expect(isClosed).toBe(false);
    await platform.advance(5000);
    await settled();
    await platform.advance(5000);
    await closing;
    expect(await output).toEqual({ done: true, value: undefined });
    expect(double.connections.every(({ pair }) => pair.destroyed.near() !== null)).toBe(true);
  });

  it('twice is closing once', async () => {
    const double = new WinRmDouble();
    const { session } = sessionAt(double.openRoad, 'command');
    await session.open();
    await Promise.all([session.close(), session.close()]);
    expect(double.names).toEqual(['Create', 'Command', 'Signal', 'Delete']);
  });
});

describe('a session out of turn', () => {
  it('is misuse.wrong-state: opened twice, written to before it is ready', async () => {
    const double = new WinRmDouble();
    const { session } = sessionAt(double.openRoad, 'command');
    await expect(session.writeText('x')).rejects.toMatchObject({
      code: 'misuse.wrong-state',
      details: { state: 'idle' },
    });
    await expect(session.interrupt()).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await session.open();
    await expect(session.open()).rejects.toMatchObject({ code: 'misuse.wrong-state', details: { action: 'open' } });
    double.exit(0);
    for await (const _ of session.output);
    await expect(session.writeText('x')).rejects.toMatchObject({ code: 'shell.closed', details: { reason: 'ended' } });
    await expect(session.interrupt()).rejects.toMatchObject({ code: 'shell.closed' });
    await session.close();
  });
});
