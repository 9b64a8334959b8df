import { describe, expect, it } from 'vitest';
import type { RoadLink, RoadOpener } from '../opened-road.ts';
import { settled } from '../testing/index.ts';
import { sessionWith, textOf } from '../testing/rehearsed-session.ts';
import { type DoubleReply, type SeenOperation, WinRmDouble } from '../testing/winrm-double.ts';

const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;

/** Does something to the nth operation of a name, counted from 1. */
function nth<Result>(name: string, count: number, result: Result): (operation: SeenOperation) => Result | undefined {
  let seen = 0;
  return (operation) => (operation.name === name && ++seen === count ? result : undefined);
}

describe('a road that is held', () => {
  it('makes the session say so until both lanes are live again, and changes nothing else', async () => {
    const double = new WinRmDouble();
    const tell: ((link: RoadLink) => void)[] = [];
    const openRoad: RoadOpener = async (...words) => ({
      ...(await double.openRoad(...words)),
      watchLink: (listener) => {
        tell.push(listener);
        return () => {};
      },
    });
    const { session } = sessionWith(double, { openRoad });
    const links: string[] = [];
    session.watch((state) => state.at === 'ready' && links.push(state.link));
    await session.open();
    const output = textOf(session);
    await settled();
    const link = { via: 'websocket', heldBytes: 0, sinceMs: 0, retryInMs: 0, givenUpInMs: null } as const;
    const become = (lane: number, state: RoadLink['state']) => tell[lane]?.({ ...link, state, resumedCount: 0 });
    expect(tell).toHaveLength(2);
    become(0, 'held');
    become(1, 'held');
    become(0, 'live');
    expect(links).toEqual(['live', 'held']);
    become(1, 'lost'); // opened anew when it is next needed
    expect(links).toEqual(['live', 'held', 'live']);
    await session.writeText('one\r\n');
    double.write('stdout', 'two');
    double.exit(0);
    expect(await output).toBe('two');
    expect(double.connections).toHaveLength(2);
    await session.close();
  });
});

describe('a lane whose connection ends between requests', () => {
  it('is opened anew with new keys; only under the Receive that waited something may be lost', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    const links: string[] = [];
    session.watch((state) => state.at === 'ready' && links.push(state.link));
    await session.open();
    const output = textOf(session);
    await settled();
    double.endConnections(); // the Receive that waits loses its connection too
    await settled();
    await session.writeText('one\r\n');
    double.write('stdout', 'two');
    double.exit(0);
    expect(await output).toBe('|two');
    expect(double.input.map(({ text }) => text)).toEqual(['one\r\n']);
    expect(double.connections.map(({ handshakes }) => handshakes)).toEqual([1, 1, 1, 1]);
    expect(links).toContain('reopening');
    expect(links.at(-1)).toBe('live');
    await session.close();
  });

  it.each([3, 4, 5])('survives a server that closes every %i requests, the legs included', async (closeAfter) => {
    const double = new WinRmDouble({ closeAfter });
    const { session } = sessionWith(double);
    await session.open();
    let wanted = '';
    const output = textOf(session);
    for (let line = 0; line < 12; line++) {
      await session.writeText(`line ${line}\r\n`);
      double.write('stdout', `answer ${line}\n`);
      wanted += `answer ${line}\n`;
      await settled();
    }
    double.exit(0);
    expect(await output).toBe(wanted);
    await session.close();
    expect(double.input).toHaveLength(12);
    expect(double.connections.every(({ handshakes }) => handshakes === 1)).toBe(true);
    expect(double.connections.every(({ requests }) => requests.length <= closeAfter)).toBe(true);
  });

  it('is opened anew before it is used after 100 idle seconds', async () => {
    const double = new WinRmDouble();
    const { session, platform } = sessionWith(double);
    await session.open();
    await platform.advance(99_000);
    await session.writeText('a');
    expect(double.connections).toHaveLength(2);
    await platform.advance(101_000);
    await session.writeText('b');
    expect(double.connections.filter(({ lane }) => lane === 'control')).toHaveLength(2);
    await session.close();
  });
});

describe('a lane whose connection is lost under a request', () => {
  it('says where a reply that was lost had taken output with it', async () => {
    const double = new WinRmDouble();
    double.after = nth('Receive', 2, 'drop' as const);
    const { session } = sessionWith(double, { shell: COMMAND });
    await session.open();
    const output = textOf(session);
    for (const text of ['a', 'b', 'c']) {
      double.write('stdout', text);
      await settled();
    }
    double.exit(0);
    expect(await output).toBe('a|c');
    expect(await session.exit).toEqual({ signed: 0, unsigned: 0 });
    await session.close();
  });

  it('asks a Receive again, and says that something may be missing', async () => {
    const double = new WinRmDouble();
    double.before = nth('Receive', 2, 'drop' as const);
    const { session } = sessionWith(double, { shell: COMMAND });
    await session.open();
    const output = textOf(session);
    double.write('stdout', 'a');
    await settled();
    double.write('stdout', 'b');
    double.exit(0);
    expect(await output).toBe('a|b');
    expect(double.connections).toHaveLength(2);
    const ids = double.operations.map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(ids.length);
    await session.close();
  });

  it('never repeats a Send: shell.fate-unknown, and typing goes on afterwards', async () => {
    const double = new WinRmDouble();
    double.after = nth('Send', 1, 'drop' as const);
    const { session } = sessionWith(double);
    await session.open();
    const first = session.writeText('del important\r\n');
    const behind = session.writeText('dir\r\n');
    await expect(first).rejects.toMatchObject({ code: 'shell.fate-unknown', details: { operation: 'Send' } });
    await expect(behind).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    expect(double.input.map(({ text }) => text)).toEqual(['del important\r\n']);
    expect(session.state).toMatchObject({ at: 'ready' });
    await session.writeText('echo\r\n');
    expect(double.input.at(-1)?.text).toBe('echo\r\n');
    await session.close();
  });

  it('never repeats a Command: shell.fate-unknown, and the shell is deleted', async () => {
    const double = new WinRmDouble();
    double.after = nth('Command', 1, 'drop' as const);
    const { session } = sessionWith(double, { shell: COMMAND });
    await expect(session.open()).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      details: { operation: 'Command' },
    });
    await session.close();
    expect(double.names.filter((name) => name === 'Command')).toHaveLength(1);
    expect(double.hasShell).toBe(false);
  });

  it('never repeats a Create: what was lost is said', async () => {
    for (const bodyOnLastLeg of ['auto', 'never'] as const) {
      const double = new WinRmDouble();
      double.after = nth('Create', 1, 'drop' as const);
      const { session } = sessionWith(double, { shell: COMMAND, bodyOnLastLeg });
      await expect(session.open()).rejects.toMatchObject({
        code: bodyOnLastLeg === 'auto' ? 'auth.incomplete' : 'http.closed-early',
      });
      expect(double.names).toEqual(['Create']);
      await session.close();
    }
  });

  it('R12, R20, R22: gives up after two complete handshakes for one request', async () => {
    const double = new WinRmDouble();
    double.before = ({ name }) => (name === 'Receive' ? 'drop' : undefined);
    const { session } = sessionWith(double, { shell: COMMAND });
    await session.open();
    await expect(textOf(session)).rejects.toMatchObject({ code: 'http.closed-early' });
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(3);
    expect(session.state).toMatchObject({ at: 'lost', error: { code: 'http.closed-early' }, canReconnect: true });
    await session.close();
    expect(double.connections.filter(({ requests }) => requests.length > 1)).toHaveLength(4); // one more for the farewell
  });

  it('asks a Receive again that is not answered in 25 seconds, and says session.timed-out about a Send', async () => {
    const double = new WinRmDouble();
    const { session, platform } = sessionWith(double);
    await session.open();
    double.before = (operation) =>
      operation.name === 'Send' || (operation.name === 'Receive' && operation.connection === 2)
        ? new Promise<undefined>(() => undefined)
        : undefined;
    const output = textOf(session);
    await settled();
    await platform.advance(24_900);
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(1);
    await platform.advance(200);
    await settled();
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(2);
    const write = expect(session.writeText('x')).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'session.timed-out' },
    });
    await settled();
    await platform.advance(66_000);
    await write;
    double.write('stdout', 'late');
    double.exit(0);
    expect(await output).toBe('|late');
  });
});

describe('a session that is being closed', () => {
  it('opens no connection anew for a Receive whose connection the server ends with the command', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    const output = textOf(session);
    await settled();
    const ofOutput = () => double.connections.filter(({ lane }) => lane === 'output');
    double.before = async ({ name }) => {
      if (name !== 'Signal') return undefined;
      for (const connection of ofOutput()) {
        connection.isGone = true;
        await connection.pair.far.end();
      }
      double.expire();
      await settled();
      return undefined;
    };
    await session.close();
    await output;
    expect(ofOutput()).toHaveLength(1);
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(1);
  });
});

describe('a connection that is closed as soon as it is authenticated', () => {
  it.each([
    [false, 'http.closed-early'],
    [true, 'proxy.drops-connection'],
  ])('R16, R20, R22: is opened twice and no more (behind a proxy: %s)', async (hasProxy, code) => {
    const double = new WinRmDouble({ closeAfter: 2, road: { hasProxy } });
    const { session } = sessionWith(double, { shell: COMMAND, bodyOnLastLeg: 'never' });
    await expect(session.open()).rejects.toMatchObject({ code });
    expect(double.connections.map(({ handshakes }) => handshakes)).toEqual([1, 1]);
    expect(double.operations).toEqual([]);
    await session.close();
  });
});

describe('a lane that loses its authentication', () => {
  const refuse = (): DoubleReply => ({ status: 401, headers: ['WWW-Authenticate: Negotiate'] });

  it('signs in again once and asks a refused Receive again; that nothing is missing was sealed by nobody', async () => {
    const double = new WinRmDouble();
    double.before = nth('Receive', 1, refuse());
    const { session } = sessionWith(double, { shell: COMMAND });
    await session.open();
    const output = textOf(session);
    await expect.poll(() => double.names.filter((name) => name === 'Receive').length).toBe(2);
    double.write('stdout', 'all of it');
    double.exit(0);
    expect(await output).toBe('|all of it');
    expect(double.connections.map(({ handshakes }) => handshakes)).toEqual([1, 1]);
  });

  // Whoever carries the bytes could let the request through, keep the answer and write the refusal.
  it.each([
    ['a 401', refuse(), 'auth.incomplete'],
    ['an empty 500', { status: 500 }, 'wsman.encryption-required'],
    ['a 400', { status: 400 }, 'http.unexpected-status'],
  ])(
    'sends a Command once, and whatever nobody sealed says of it, its fate is unknown: %s',
    async (_name, reply, code) => {
      const double = new WinRmDouble();
      double.before = ({ name }) => (name === 'Command' ? reply : undefined);
      const { session } = sessionWith(double, { shell: COMMAND, bodyOnLastLeg: 'never' });
      await expect(session.open()).rejects.toMatchObject({ code: 'shell.fate-unknown', cause: { code } });
      expect(double.names.filter((name) => name === 'Command')).toHaveLength(1);
      await session.close();
    },
  );

  it('lets no Send ride on a new connection, where a refusal would make it go twice', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: { ...COMMAND, consoleStdin: true } });
    await session.open();
    double.before = ({ name }) => (name === 'Send' ? { status: 500 } : undefined);
    await expect(session.writeText('x')).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'wsman.encryption-required' },
    });
    expect(double.names.filter((name) => name === 'Send')).toHaveLength(1);
    await session.close();
  });

  it('R10: is proxy.no-affinity when a Via or a proxy is there, for a 401 and for a 400 of another connection', async () => {
    const obstacles: [DoubleReply, boolean, string][] = [
      [{ ...refuse(), headers: ['Via: 1.1 px.corp'] }, false, '1.1 px.corp'],
      [refuse(), true, ''],
      [{ status: 400 }, true, ''],
    ];
    for (const [reply, hasProxy, via] of obstacles) {
      const double = new WinRmDouble({ road: { hasProxy } });
      double.before = ({ name }) => (name === 'Create' ? reply : undefined);
      const { session } = sessionWith(double, { shell: COMMAND, bodyOnLastLeg: 'never' });
      await expect(session.open()).rejects.toMatchObject({ code: 'proxy.no-affinity', details: { via } });
      await session.close();
    }
  });
});

describe('a rejection behind a proxy that reads each request', () => {
  it.each([
    [['Via: 1.1 px'], 'proxy.no-affinity'],
    [['Via: 1.1 px', 'Proxy-Support: Session-Based-Authentication'], 'auth.rejected'],
  ])(
    'R8, R14: is about the password only if the proxy promises to keep connections together (%j)',
    async (headers, code) => {
      const double = new WinRmDouble({ password: 'another', headers, road: { hasProxy: true, form: 'absolute' } });
      const { session } = sessionWith(double, { shell: COMMAND });
      await expect(session.open()).rejects.toMatchObject({ code });
      expect(double.connections).toHaveLength(1);
    },
  );
});

describe('a server that cannot take a body on the last leg', () => {
  it.each([{ status: 400 }, { status: 500 }])(
    'gets an empty last leg from then on (it answered $status)',
    async (reply) => {
      const double = new WinRmDouble();
      double.before = nth('Create', 1, reply);
      const { session } = sessionWith(double, { shell: COMMAND });
      await session.open();
      expect(double.names).toEqual(['Create', 'Create', 'Command']);
      expect(double.connections[1]?.requests[1]?.body).toHaveLength(0);
      await session.close();
    },
  );
});

describe('a proxy that asks for credentials', () => {
  it('gets none in absolute form: proxy.needs-https, naming it (R5)', async () => {
    const double = new WinRmDouble({ road: { hasProxy: true, form: 'absolute' } });
    double.onRequest = () => ({
      status: 407,
      headers: ['Proxy-Authenticate: Basic realm="x"', 'Proxy-Authenticate: NTLM'],
    });
    const { session } = sessionWith(double, {
      shell: COMMAND,
      openRoad: (lane, onHop, signal) => {
        onHop({ hop: 1, party: 'proxy', host: 'px.corp', port: 3128, stage: 'open', ms: 1, address: '10.0.0.1' });
        onHop({ hop: 2, party: 'server', host: 'srv1', port: 5985, stage: 'asking', ms: 1, address: '' });
        return double.openRoad(lane, onHop, signal);
      },
    });
    await expect(session.open()).rejects.toMatchObject({
      code: 'proxy.needs-https',
      details: { hop: 1, host: 'px.corp', port: 3128, offered: 'Basic, NTLM' },
    });
    expect(double.connections[0]?.requests[0]?.target).toBe('http://srv1:5985/wsman');
    await session.close();
  });
});
