import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { fromBase64, toBase64, utf8Encode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import type { RoadOpener } from '../opened-road.ts';
import { type FixedPlatform, fixedPlatform, settled } from '../testing/index.ts';
import { textOf } from '../testing/rehearsed-session.ts';
import { tlsFront } from '../testing/tls-front.ts';
import { type DoubleOptions, WinRmDouble } from '../testing/winrm-double.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

/** How often a credential is shown, and an operation carried out, when somebody on the road lies or keeps silent. */

const PASSWORD = 'Correct-horse-9';
const BASIC = `Basic ${toBase64(utf8Encode(`CORP\\alice:${PASSWORD}`))}`;
const REFUSAL = { status: 401, headers: ['WWW-Authenticate: Basic realm="x"'] };

/** What makes the double's road another one. */
type Bend = (open: RoadOpener) => RoadOpener;

function scene(target: string, options: Partial<SessionOptions> & { server?: DoubleOptions; bend?: Bend } = {}) {
  const { server, bend = (open) => open, ...rest } = options;
  const setting = { password: PASSWORD, takesPlain: true, ...server };
  const double = new WinRmDouble(setting);
  const isSecured = target.startsWith('https:');
  const openRoad = bend(isSecured ? tlsFront(double.openRoad, peers.p256).openRoad : double.openRoad);
  const platform = fixedPlatform({ nowMs: Date.UTC(2030, 0, 1), random: new Uint8Array(100_000).fill(3) });
  const session = new Session({
    ...{ target: parseTarget(target).target, policy: isSecured ? 'negotiate-raw' : 'ntlm', openRoad, platform },
    credential: parseCredential('CORP\\alice', PASSWORD),
    shell: { kind: 'interactive', codePage: 65001 },
    ...(isSecured && { trust: { policy: { roots: [], pins: [] }, ask: async () => 'trust-once' as const } }),
    ...rest,
  });
  /** Opens it, reads from it, and changes its password on the server. */
  const change = async () => {
    await session.open();
    const output = textOf(session).catch((error: unknown) => error);
    await settled();
    setting.password = 'changed';
    return { output };
  };
  return { session, double, platform, change };
}

async function pass(platform: FixedPlatform, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await platform.advance(500);
    await settled();
  }
}

/** Whether a request carries NTLM's third message, by which a server judges a password. [MS-NLMP] 2.2.1.3 */
function isProof(authorization: string | null): boolean {
  return fromBase64(authorization?.split(' ')[1] ?? '')?.[8] === 3;
}

const proofsOf = (double: WinRmDouble, from = 0): number =>
  double.connections
    .slice(from)
    .flatMap(({ requests }) => requests)
    .filter(({ headers }) => isProof(headers.get('Authorization'))).length;

describe('what left and was refused without a seal', () => {
  it.each(['always', 'auto'] as const)(
    'is a Send that is not made twice inside TLS: shell.fate-unknown (seal %s)',
    async (seal) => {
      const { session, double } = scene('https://peer', { seal });
      await session.open();
      for (const reply of [
        { status: 401, headers: ['WWW-Authenticate: Negotiate'] },
        { status: 400, body: 'x' },
        { status: 500, body: '' },
        { status: 407, headers: ['Proxy-Authenticate: NTLM'] },
        { status: 502, body: 'gateway' },
      ]) {
        double.after = ({ name }) => (name === 'Send' ? reply : undefined);
        await expect(session.writeText(`${reply.status}`)).rejects.toMatchObject({
          code: 'shell.fate-unknown',
          details: { operation: 'Send' },
          cause: { code: expect.stringMatching(/^(?:auth|http|proxy|wsman)\./) },
        });
      }
      double.after = () => undefined;
      await session.writeText('and on');
      expect(double.input.map(({ text }) => text)).toEqual(['401', '400', '500', '407', '502', 'and on']);
      await session.close();
    },
  );

  it.each([401, 400, 500])('is a Command that is not started twice behind a TLS front that says %i', async (status) => {
    const { session, double } = scene('https://peer', { seal: 'always', server: { road: { hasProxy: true } } });
    double.after = ({ name }) => (name === 'Command' ? { status, body: '' } : undefined);
    await expect(session.open()).rejects.toMatchObject({ code: 'shell.fate-unknown', cause: expect.anything() });
    expect(double.names.filter((name) => name === 'Command')).toHaveLength(1);
    await session.close();
  });

  it('is a Create that is asked again a little, and told as refused', async () => {
    const { session, double } = scene('https://peer', { server: { road: { hasProxy: true } } });
    double.before = ({ name }) => (name === 'Create' ? { status: 401 } : undefined);
    await expect(session.open()).rejects.toMatchObject({ code: 'proxy.no-affinity', details: { sign: 'refused' } });
    expect(double.names).toEqual(['Create', 'Create']);
    await session.close();
  });

  it('is a Create with a wrong password, told in the words for that: auth.rejected', async () => {
    const { session, double } = scene('https://peer', { policy: 'basic', server: { standing: BASIC } });
    double.onRequest = () => REFUSAL;
    await expect(session.open()).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(double.connections.flatMap(({ requests }) => requests)).toHaveLength(1);
    await session.close();
  });

  it('is a Receive that is asked again, with a mark where output may have gone with it', async () => {
    const { session, double } = scene('https://peer');
    await session.open();
    const output = textOf(session);
    let isFirst = true;
    double.after = ({ name }) => {
      if (name !== 'Receive' || !isFirst) return undefined;
      isFirst = false;
      return { status: 401, headers: ['WWW-Authenticate: Negotiate'] };
    };
    double.write('stdout', 'swallowed');
    await settled();
    double.write('stdout', 'told');
    double.exit(0);
    expect(await output).toBe('|told');
    await session.close();
  });
});

describe('a password that goes with every request', () => {
  it.each([
    ['is typed', true],
    ['is not', false],
  ])(
    'is not shown again once it was refused, on no lane and in no farewell, when a line %s',
    async (_name, isTyping) => {
      const { session, double, platform, change } = scene('https://peer', {
        policy: 'basic',
        server: { standing: BASIC },
      });
      const { output } = await change();
      let shown = 0;
      double.onRequest = ({ headers }) => {
        if (headers.get('Authorization') === BASIC) shown += 1;
        return REFUSAL;
      };
      const line = isTyping ? session.writeText('dir\r\n').catch((error: unknown) => error) : null;
      await settled();
      double.expire();
      await pass(platform, 40_000);
      expect(shown).toBe(1);
      if (isTyping) expect(await line).toMatchObject({ code: 'shell.fate-unknown', cause: { code: 'auth.rejected' } });
      expect(await output).toMatchObject({ code: 'auth.rejected' });
      expect(session.state).toMatchObject({ at: 'lost', error: { code: 'auth.rejected' } });
      await session.close();
      expect(shown).toBe(1);
      expect(double.hasShell).toBe(true);
    },
  );

  it('is not shown again either by a server that no longer knows Basic: auth.no-common-mechanism', async () => {
    const { session, double, platform, change } = scene('https://peer', {
      policy: 'basic',
      server: { standing: BASIC },
    });
    const { output } = await change();
    let shown = 0;
    double.onRequest = () => {
      shown += 1;
      return { status: 401, headers: ['WWW-Authenticate: Negotiate'] };
    };
    double.expire();
    await pass(platform, 10_000);
    expect(await output).toMatchObject({ code: 'auth.no-common-mechanism' });
    await session.close();
    expect(shown).toBe(1);
  });

  it('is shown twice on new connections whose answers somebody swallows, and then no more', async () => {
    const { session, double, platform, change } = scene('https://peer', {
      policy: 'basic',
      server: { standing: BASIC },
    });
    const { output } = await change();
    let shown = 0;
    double.onRequest = () => {
      shown += 1;
      return new Promise(() => undefined);
    };
    double.expire(); // the next Receive goes over a connection on which the password was good, so it does not count
    await pass(platform, 600_000);
    expect(await output).toMatchObject({ code: 'session.timed-out' });
    await session.close();
    expect(shown).toBe(3);
  });
});

it('counts unheard showings of Basic anew after each that was granted', async () => {
  const { session, double, platform } = scene('https://peer', { policy: 'basic', server: { standing: BASIC } });
  await session.open();
  const output = textOf(session).catch((error: unknown) => error);
  await settled();
  let swallows = 0;
  double.onRequest = () => {
    swallows -= 1;
    return swallows >= 0 ? new Promise(() => undefined) : undefined;
  };
  for (let outage = 0; outage < 4; outage++) {
    swallows = 2; // one on the connection that was good, one on a new one
    double.expire();
    for (let step = 0; step < 600 && swallows >= 0; step++) await pass(platform, 500);
    expect(swallows).toBe(-1);
    double.expire();
    await settled();
  }
  double.exit(0);
  expect(await output).toMatch(/^\|+$/);
  await session.close();
});

describe('a sign-in after the password was changed', () => {
  it('is made by one lane, and the other hears of it', async () => {
    const { session, double, platform, change } = scene('srv1');
    const { output } = await change();
    const { length } = double.connections;
    double.endConnections();
    const line = session.writeText('x\r\n').catch((error: unknown) => error);
    await pass(platform, 20_000);
    expect(await line).toMatchObject({ code: 'auth.rejected' });
    expect(await output).toMatchObject({ code: 'auth.rejected' });
    await session.close();
    expect(proofsOf(double, length)).toBe(1);
  });

  it.each(['swallows', 'cuts the link on', 'closes on'] as const)(
    'is tried no more than twice when somebody %s the verdict: auth.no-verdict',
    async (how) => {
      const cut: (() => void)[] = [];
      const bend: Bend =
        (open) =>
        async (...words) => {
          const road = await open(...words);
          const { stream } = road;
          const gone = new Promise<never>((_, reject) => {
            cut.push(() => reject(new WinRmError('relay.lost', { reason: 'cut' })));
          });
          gone.catch(() => undefined);
          const read = (signal?: AbortSignal) => Promise.race([stream.read(signal), gone]);
          const rest = { end: () => stream.end(), destroy: (why?: WinRmError) => stream.destroy(why) };
          return {
            ...road,
            stream: { label: '', read, write: (bytes, signal) => stream.write(bytes, signal), ...rest },
          };
        };
      const { session, double, platform, change } = scene('srv1', { bend });
      const { output } = await change();
      let shown = 0;
      double.onRequest = ({ headers }, connection) => {
        if (!isProof(headers.get('Authorization'))) return undefined;
        shown += 1;
        if (how === 'closes on') return 'drop';
        if (how === 'cuts the link on') cut[connection - 1]?.();
        return new Promise(() => undefined);
      };
      const line = session.writeText('x').catch((error: unknown) => error);
      double.endConnections();
      for (let step = 0; step < 200; step++) {
        await pass(platform, 2000);
        session.hurry();
      }
      const failed = await output;
      if (how !== 'closes on') expect(failed).toMatchObject({ code: 'auth.no-verdict', details: { count: 2 } });
      expect(session.state).toMatchObject({ at: 'lost' });
      await line;
      await session.close();
      await pass(platform, 1000);
      expect(shown).toBeLessThanOrEqual(2);
      expect(session.standing).toMatchObject({ shellId: 'SHELL-1' });
    },
  );

  it('is waited for, however much somebody is in a hurry, when its verdict takes long', async () => {
    const { session, double, platform } = scene('srv1');
    await session.open();
    const output = textOf(session);
    await settled();
    const { length } = double.connections;
    double.onRequest = async ({ headers }) => {
      if (isProof(headers.get('Authorization'))) await platform.sleep(20_000);
      return undefined;
    };
    double.endConnections();
    for (let step = 0; step < 15; step++) {
      await pass(platform, 2000);
      session.hurry();
    }
    expect(proofsOf(double, length)).toBe(1);
    expect(session.state).toEqual({ at: 'ready', link: 'live' });
    double.onRequest = () => undefined;
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('begins to count anew after each that was granted', async () => {
    const { session, double, platform } = scene('srv1');
    await session.open();
    const output = textOf(session);
    await settled();
    let swallows = 0;
    double.onRequest = ({ headers }) => {
      if (!isProof(headers.get('Authorization')) || swallows === 0) return undefined;
      swallows -= 1;
      return new Promise(() => undefined);
    };
    for (let outage = 0; outage < 4; outage++) {
      swallows = 1;
      double.endConnections();
      await pass(platform, 60_000);
      expect(session.state).toEqual({ at: 'ready', link: 'live' });
      double.expire();
      await settled();
    }
    double.exit(0);
    expect(await output).toMatch(/^\|+$/);
    await session.close();
  });
});

describe('a proxy that is signed in to and cannot go on', () => {
  const unreachable = () =>
    new WinRmError('proxy.target-unreachable', {
      ...{ hop: 1, host: 'px', port: 3128, status: 503, via: '', proxyStatus: '', text: '', target: 'srv1:5985' },
    });

  /** A session whose road is broken after a proxy was answered; `attempts` are the times at which that happens. */
  async function broken(by: () => WinRmError, options: Partial<SessionOptions> = {}) {
    const attempts: number[] = [];
    const all: { isBroken: boolean; now: () => number } = { isBroken: false, now: () => 0 };
    let answers = 0;
    const bend: Bend = (open) =>
      Object.assign(
        async (...words: Parameters<RoadOpener>) => {
          answers += 2;
          if (!all.isBroken) return open(...words);
          attempts.push(Math.round(all.now() / 1000));
          throw by();
        },
        { answered: () => answers },
      );
    const made = scene('srv1', { ...options, bend });
    all.now = () => made.platform.monotonicMs();
    await made.session.open();
    const output = textOf(made.session).catch((error: unknown) => error);
    await settled();
    all.isBroken = true;
    made.double.endConnections();
    await settled();
    return { ...made, output, attempts, all };
  }

  it('gets few answers in one outage, at long pauses, so that a host behind it may start anew meanwhile', async () => {
    const { session, platform, output, attempts } = await broken(unreachable);
    await pass(platform, 320_000);
    expect(await output).toMatchObject({ code: 'proxy.target-unreachable' });
    expect(attempts.length).toBeLessThanOrEqual(8);
    expect(attempts.at(-1)).toBeGreaterThan(290);
    await session.close();
    expect(attempts.length).toBeLessThanOrEqual(8);
  });

  it('gets no more of them when somebody is in a hurry', async () => {
    const { session, platform, output, attempts } = await broken(unreachable);
    for (let step = 0; step < 100; step++) {
      await pass(platform, 2000);
      session.hurry();
    }
    expect(await output).toMatchObject({ code: 'proxy.target-unreachable' });
    await session.close();
    expect(attempts).toHaveLength(8);
  });

  it('goes on when the host is back', async () => {
    const { session, double, platform, output, all } = await broken(unreachable);
    await pass(platform, 100_000);
    all.isBroken = false;
    await pass(platform, 60_000);
    expect(session.state).toEqual({ at: 'ready', link: 'live' });
    double.exit(0);
    expect(await output).toBe('|');
    await session.close();
  });

  it('and that says nothing at all is answered twice: auth.no-verdict', async () => {
    const { session, platform, output, attempts } = await broken(
      () => new WinRmError('session.timed-out', { at: 'CONNECT', seconds: 30 }),
    );
    await pass(platform, 60_000);
    expect(await output).toMatchObject({ code: 'auth.no-verdict' });
    await session.close();
    expect(attempts).toHaveLength(2);
  });

  it.each([0, 300_000])(
    'ends it when the proxy asks for ever, with no farewell: proxy.auth-loops (%i)',
    async (patienceMs) => {
      const facts = { hop: 1, host: 'px', port: 3128, status: 407, via: '', proxyStatus: '', text: '' };
      const { session, platform, output, attempts } = await broken(
        () => new WinRmError('proxy.auth-loops', { ...facts, mechanism: 'Digest', legCount: 2 }),
        { patienceMs },
      );
      await pass(platform, 60_000);
      expect(await output).toMatchObject({ code: 'proxy.auth-loops' });
      await session.close();
      expect(attempts).toHaveLength(1);
    },
  );
});
