import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { WinRmError } from '../errors.ts';
import type { RoadOpener } from '../opened-road.ts';
import { type FixedPlatform, fixedPlatform, settled } from '../testing/index.ts';
import { textOf } from '../testing/rehearsed-session.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { DEFAULT_PATIENCE_MS } from './_patience.ts';
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

const INTERACTIVE = { kind: 'interactive', codePage: 65001 } as const;
const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;
const dead = () => new WinRmError('relay.unreachable', { url: 'http://relay' });

/** `draw` is what every random byte is; with 0 no pause is shortened. */
type Breakable = Partial<SessionOptions> & { readonly draw?: number };

/** A session on a road that can be broken: `broken.by` is what every attempt fails with. */
function breakable(double: WinRmDouble, { draw = 0, ...options }: Breakable = {}) {
  const platform = fixedPlatform({ random: new Uint8Array(100_000).fill(draw) });
  const broken = { by: null as (() => WinRmError) | null, attempts: [] as number[], hurries: 0, hangs: false };
  const walk: RoadOpener = async (lane, onHop, signal) => {
    if (broken.by === null) return double.openRoad(lane, onHop, signal);
    broken.attempts.push(platform.monotonicMs());
    if (broken.hangs) return new Promise(() => undefined);
    throw broken.by();
  };
  const openRoad = Object.assign(walk, {
    now: () => {
      broken.hurries += 1;
    },
  });
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad,
    platform,
    shell: INTERACTIVE,
    ...options,
  });
  const links: string[] = [];
  session.watch((state) => state.at === 'ready' && links.push(state.link));
  return { session, platform, broken, links };
}

/** Time goes by in steps, so that whoever waits for several things in a row gets them at their times. */
async function pass(platform: FixedPlatform, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    await platform.advance(Math.min(250, left));
    await settled();
  }
}

/** A ready session whose Receive waits and whose connections then end, with nobody there any more. */
async function cutOff(options: Breakable = {}, by: () => WinRmError = dead) {
  const double = new WinRmDouble();
  const all = breakable(double, options);
  await all.session.open();
  const output = textOf(all.session);
  output.catch(() => undefined);
  await settled();
  all.broken.by = by;
  double.endConnections();
  await settled();
  await settled();
  return { double, output, ...all };
}

describe('a ready session that loses its road', () => {
  it('tries again after growing pauses, says so, and goes on in the same shell after a gap', async () => {
    const { double, session, platform, broken, links, output } = await cutOff();
    expect(session.reopening).toMatchObject({ attempt: 1, nextInMs: 1000, error: { code: 'relay.unreachable' } });
    await pass(platform, 50_000);
    expect(broken.attempts).toEqual([0, 1000, 3000, 7000, 15_000, 30_000, 45_000]);
    expect(session.reopening).toMatchObject({ attempt: 7, nextInMs: 10_000, givenUpInMs: 250_000 });
    expect(session.state).toEqual({ at: 'ready', link: 'reopening' });
    broken.by = null;
    await pass(platform, 10_250);
    expect(session.reopening).toBeNull();
    expect(links).toEqual(['live', 'reopening', 'live']);
    await session.writeText('after\r\n');
    double.write('stdout', 'back');
    double.exit(0);
    expect(await output).toBe('|back');
    expect(double.names.filter((name) => name === 'Create' || name === 'Command')).toHaveLength(2);
    expect(double.input.map(({ text }) => text)).toEqual(['after\r\n']);
    expect(double.connections.every(({ handshakes }) => handshakes === 1)).toBe(true);
    const told = session.journal.entries.flatMap(({ what }) => (what.event === 'reopening' ? [what] : []));
    expect(told.slice(0, 3)).toEqual([
      { event: 'reopening', attempt: 1, nextInMs: 1000, code: 'relay.unreachable' },
      { event: 'reopening', attempt: 1, nextInMs: 0, code: 'relay.unreachable' },
      { event: 'reopening', attempt: 2, nextInMs: 2000, code: 'relay.unreachable' },
    ]);
    await session.close();
  });

  it('knocks with one lane only, and a line that was typed meanwhile is sent once, when the road stands', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    const line = session.writeText('typed\r\n');
    await pass(platform, 32_000);
    expect(broken.attempts).toEqual([0, 1000, 3000, 7000, 15_000, 30_000]);
    broken.by = null;
    await pass(platform, 15_000);
    await line;
    expect(double.input.map(({ text }) => text)).toEqual(['typed\r\n']);
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('never repeats a Send that the road broke under: shell.fate-unknown, however long it is patient', async () => {
    const double = new WinRmDouble();
    const { session, platform, broken } = breakable(double);
    await session.open();
    const output = textOf(session);
    await settled();
    double.after = ({ name }) => {
      if (name !== 'Send') return undefined;
      broken.by = dead;
      double.endConnections();
      return 'drop';
    };
    await expect(session.writeText('del important\r\n')).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    await pass(platform, 10_000);
    broken.by = null;
    double.after = () => undefined;
    await pass(platform, 10_000);
    await session.writeText('dir\r\n');
    expect(double.input.map(({ text }) => text)).toEqual(['del important\r\n', 'dir\r\n']);
    expect(double.names.filter((name) => name === 'Send')).toHaveLength(2);
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('gives up after five minutes, leaves the shell where it is and tells how to take it up', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    const line = session.writeText('typed\r\n').catch((error: unknown) => error);
    await pass(platform, DEFAULT_PATIENCE_MS - 1000);
    expect(session.state).toEqual({ at: 'ready', link: 'reopening' });
    await pass(platform, 1000);
    await expect(output).rejects.toMatchObject({ code: 'relay.unreachable' });
    expect(await line).toMatchObject({ code: 'relay.unreachable' });
    expect(session.state).toMatchObject({ at: 'lost', error: { code: 'relay.unreachable' }, canReconnect: true });
    expect(session.reopening).toBeNull();
    expect(session.standing).toMatchObject({ shellId: 'SHELL-1' });
    expect(broken.attempts.at(-1)).toBe(DEFAULT_PATIENCE_MS);
    const { length } = broken.attempts;
    broken.by = null;
    await session.close();
    await pass(platform, 10_000);
    expect(broken.attempts).toHaveLength(length);
    expect(double.hasShell).toBe(true);
    expect(double.input).toEqual([]);
  });

  it('makes its last attempt when the time is over, not later', async () => {
    const { session, platform, broken, output } = await cutOff({ patienceMs: 5000 });
    await pass(platform, 10_000);
    await expect(output).rejects.toMatchObject({ code: 'relay.unreachable' });
    expect(broken.attempts).toEqual([0, 1000, 3000, 5000]);
    await session.close();
  });

  it('makes one more attempt after a machine has slept through all of it', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    broken.by = null;
    await platform.advance(3_600_000);
    await settled();
    double.write('stdout', 'awake');
    double.exit(0);
    expect(await output).toBe('|awake');
    await session.close();
  });

  it('is not patient when it was told not to be, and cleans up as far as it can', async () => {
    const { double, session, broken, output } = await cutOff({ patienceMs: 0 });
    await expect(output).rejects.toMatchObject({ code: 'relay.unreachable' });
    expect(session.state).toMatchObject({ at: 'lost' });
    await session.close();
    expect(broken.attempts.length).toBeGreaterThan(1); // the farewell tried too
    expect(double.hasShell).toBe(true);
  });

  it.each([
    ['a policy', () => new WinRmError('relay.policy-denied', { host: 'srv1', port: 5985, rule: 'target' })],
    ['a sign-in that is over', () => new WinRmError('relay.sign-in-required', {})],
    ['our own mistake', () => new WinRmError('misuse.wrong-state', { action: 'x', state: 'y' })],
    [
      'a proxy that will not',
      () =>
        new WinRmError('proxy.connect-denied', {
          ...{ hop: 1, host: 'px', port: 3128, status: 403, via: '', proxyStatus: '', text: '', target: 'srv1:5985' },
        }),
    ],
    [
      'a proxy whose rules forbid it',
      () =>
        new WinRmError('proxy.socks-refused', {
          ...{ hop: 1, host: 'px', port: 1080, target: 'srv1:5985', reply: 2, problem: '' },
        }),
    ],
    [
      'a proxy that closes between the legs (R22)',
      () =>
        new WinRmError('proxy.drops-connection', {
          ...{ hop: 1, host: 'px', port: 3128, via: '', stage: 'authenticate', why: 'closed' },
        }),
    ],
    ['a host that closes between the legs', () => new WinRmError('auth.incomplete', { mechanism: 'NTLM', stage: '' })],
  ])('does not wait for what waiting does not mend: %s', async (_name, by) => {
    const { session, broken, output } = await cutOff({}, by);
    await expect(output).rejects.toMatchObject({ code: by().code });
    expect(session.state).toMatchObject({ at: 'lost' });
    expect(session.reopening).toBeNull();
    expect(session.standing).toMatchObject({ shellId: 'SHELL-1' }); // whoever mends it can go on with the shell
    await session.close();
    expect(broken.attempts).toHaveLength(1);
  });

  it.each([
    ['a relay that broke under a leg', () => new WinRmError('auth.incomplete', { mechanism: 'NTLM', stage: '' }, lost)],
    [
      'a host that a proxy cannot reach',
      () =>
        new WinRmError('proxy.socks-refused', {
          ...{ hop: 1, host: 'px', port: 1080, target: 'srv1:5985', reply: 4, problem: '' },
        }),
    ],
    ['a ticket of a relay that was started anew', () => new WinRmError('relay.ticket-refused', { reason: 'unknown' })],
    ['a link that broke', () => lost],
    ['silence', () => new WinRmError('session.timed-out', { at: 'road', seconds: 120 })],
  ])('waits for %s', async (_name, by) => {
    const { session, output } = await cutOff({}, by);
    expect(session.state).toEqual({ at: 'ready', link: 'reopening' });
    await session.close();
    expect(await output).toBe('|');
  });
});

const lost = new WinRmError('relay.lost', { reason: 'the connection broke' });

describe('a session that goes on after an outage', () => {
  it('ends at once when its credential is refused: one failed logon, no farewell with it, auth.rejected', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    const line = session.writeText('typed\r\n').catch((error: unknown) => error);
    let logons = 0;
    double.onRequest = ({ headers }) => {
      const isLast = (headers.get('Authorization')?.length ?? 0) > 200;
      if (isLast) logons += 1;
      return isLast ? { status: 401, headers: ['WWW-Authenticate: NTLM'] } : undefined;
    };
    broken.by = null;
    await pass(platform, 1000);
    await expect(output).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(await line).toMatchObject({ code: 'auth.rejected' });
    expect(session.state).toMatchObject({ at: 'lost', error: { code: 'auth.rejected' }, canReconnect: false });
    await session.close();
    await pass(platform, 60_000);
    expect(logons).toBe(1);
    expect(session.standing).toMatchObject({ shellId: 'SHELL-1' });
    expect(double.hasShell).toBe(true);
  });

  it('is shell.gone when the host has closed the shell meanwhile', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    double.hasShell = false;
    broken.by = null;
    await pass(platform, 1000);
    await expect(output).rejects.toMatchObject({ code: 'shell.gone', details: { shellId: 'SHELL-1' } });
    expect(session.standing).toBeNull();
    await session.close();
  });

  it('tries at once when it is hurried, and counts its pauses from the shortest again', async () => {
    const { session, platform, broken } = await cutOff();
    await pass(platform, 16_000);
    expect(broken.attempts).toEqual([0, 1000, 3000, 7000, 15_000]);
    session.hurry();
    await settled();
    expect(broken.attempts.at(-1)).toBe(16_000);
    expect(broken.hurries).toBe(1);
    expect(session.reopening).toMatchObject({ attempt: 6, nextInMs: 1000 });
    session.hurry();
    await settled();
    expect(broken.attempts.at(-1)).toBe(16_000);
    expect(broken.attempts).toHaveLength(7);
    await session.close();
  });

  it('begins an attempt anew that hangs, when it is hurried; one that has just begun is left alone', async () => {
    const { double, session, platform, broken, output } = await cutOff();
    broken.hangs = true;
    await pass(platform, 1500);
    expect(session.reopening).toMatchObject({ attempt: 1, nextInMs: 0 });
    expect(broken.attempts).toEqual([0, 1000]);
    session.hurry();
    await settled();
    expect(session.reopening).toMatchObject({ attempt: 1, nextInMs: 0 });
    expect(broken.attempts).toEqual([0, 1000]);
    await pass(platform, 1500);
    session.hurry();
    await settled();
    expect(broken.attempts).toEqual([0, 1000, 3000]);
    broken.by = null;
    broken.hangs = false;
    await pass(platform, 1000);
    session.hurry();
    await pass(platform, 250);
    expect(session.reopening).toBeNull();
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('begins the first attempt anew, too, when it hangs and somebody is in a hurry', async () => {
    const double = new WinRmDouble();
    const { session, platform, broken } = breakable(double);
    await session.open();
    const output = textOf(session);
    await settled();
    Object.assign(broken, { by: dead, hangs: true });
    double.endConnections();
    await pass(platform, 5000);
    expect(session.state).toEqual({ at: 'ready', link: 'reopening' });
    expect([broken.attempts.length, session.reopening]).toEqual([1, null]);
    session.hurry();
    await settled();
    expect(session.reopening).toMatchObject({ attempt: 1, nextInMs: 1000, error: { code: 'session.timed-out' } });
    broken.by = null;
    await pass(platform, 1250);
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('has nothing to hurry while all is well, but for roads that are held', async () => {
    const double = new WinRmDouble();
    const { session, broken } = breakable(double);
    await session.open();
    session.hurry();
    expect(broken.hurries).toBe(1);
    expect(session.reopening).toBeNull();
    await session.close();
  });

  it('can be closed while it waits: one last attempt, and nobody hangs', async () => {
    const { session, platform, broken, output } = await cutOff();
    const line = session.writeText('typed\r\n').catch((error: unknown) => error);
    await pass(platform, 2000);
    const { length } = broken.attempts;
    await session.close();
    expect(await output).toBe('|');
    expect(await line).toMatchObject({ code: 'session.cancelled' });
    expect(broken.attempts.length - length).toBeLessThanOrEqual(2); // Signal and Delete
    expect(platform.sleeperCount).toBe(0);
    expect(session.state).toEqual({ at: 'closed', error: null });
  });

  it('deletes the shell when the road is back just as it is closed', async () => {
    const { double, session, broken } = await cutOff();
    broken.by = null;
    await session.close();
    expect(double.hasShell).toBe(false);
  });
});

describe('patience', () => {
  it('is for sessions that have been ready: the first attempt of an opening is its only one', async () => {
    const { session, broken } = breakable(new WinRmDouble());
    broken.by = dead;
    await expect(session.open()).rejects.toMatchObject({ code: 'relay.unreachable' });
    expect(session.state).toMatchObject({ at: 'closed' });
    await session.close();
  });

  it('waits with the first input of a command, too, whose second lane was never open', async () => {
    const double = new WinRmDouble();
    const { session, platform, broken, links } = breakable(double, { shell: COMMAND });
    await session.open();
    broken.by = dead;
    const line = session.writeText('input');
    await pass(platform, 500);
    expect(links.at(-1)).toBe('reopening');
    broken.by = null;
    await pass(platform, 500);
    await line;
    expect(links.at(-1)).toBe('live');
    expect(double.input).toHaveLength(1);
    await session.close();
  });

  it('shortens its pauses by chance, by no more than a quarter', async () => {
    const { platform, session } = await cutOff({ draw: 255 });
    await pass(platform, 6000);
    const pauses = session.journal.entries.flatMap(({ what }) => (what.event === 'reopening' ? [what.nextInMs] : []));
    expect(pauses.filter((ms) => ms > 0)).toEqual([751, 1502, 3004, 6008]);
    await session.close();
  });

  it.each([-1, Number.NaN, 3_600_001])('of %s ms is misuse.bad-argument', async (patienceMs) => {
    const { session } = breakable(new WinRmDouble(), { patienceMs });
    await expect(session.open()).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { argument: 'patienceMs' },
    });
  });
});
