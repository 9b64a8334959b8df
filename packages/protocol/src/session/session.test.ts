import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { fromBase64, utf8Decode } from '../bytes/bytes.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;
const INTERACTIVE = { kind: 'interactive', codePage: 65001 } as const;

function sessionWith(double: WinRmDouble, options: Partial<SessionOptions> = {}) {
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'negotiate-raw',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad: double.openRoad,
    platform,
    shell: COMMAND,
    ...options,
  });
  return { session, platform };
}

async function textOf(session: Session): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of session.output) {
    if (stream === 'gap') expect.fail('nothing was lost');
    text[stream] += utf8Decode(bytes);
  }
  return text;
}

describe('a session for one command', () => {
  it('R17: brings the first output after four exchanges on one connection with one handshake', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    double.write('stdout', 'hi\r\n');
    await session.open();
    const first = await session.output[Symbol.asyncIterator]().next();
    expect(utf8Decode(first.value?.bytes ?? new Uint8Array())).toBe('hi\r\n');
    expect(session.counts).toMatchObject({ exchanges: 4, connections: 1, handshakes: 1 });
    expect(double.names).toEqual(['Create', 'Command', 'Receive']);
    expect(double.connections[0]?.requests).toHaveLength(4);
    await session.close();
  });

  it('R17, R21: needs five behind a proxy, where the last leg is empty, and where riding is switched off', async () => {
    for (const [road, bodyOnLastLeg] of [[{ hasProxy: true }, 'auto'] as const, [{}, 'never'] as const]) {
      const double = new WinRmDouble({ road });
      const { session } = sessionWith(double, { bodyOnLastLeg });
      double.write('stdout', 'x');
      await session.open();
      await session.output[Symbol.asyncIterator]().next();
      expect(session.counts).toMatchObject({ exchanges: 5, connections: 1, handshakes: 1 });
      expect(double.connections[0]?.requests.map(({ body }) => body.length > 0)).toEqual([
        false,
        false,
        true,
        true,
        true,
      ]);
      await session.close();
    }
  });

  it('ends the command, deletes the shell and gives the exit code both ways', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    double.write('stdout', 'out');
    double.write('stderr', 'err');
    double.exit(4294967295);
    await session.open();
    expect(await textOf(session)).toEqual({ stdout: 'out', stderr: 'err' });
    expect(await session.exit).toEqual({ signed: -1, unsigned: 4294967295 });
    await session.close();
    expect(double.names).toEqual(['Create', 'Command', 'Receive', 'Signal', 'Delete']);
    expect(double.signals).toEqual(['terminate']);
    expect(session.state).toMatchObject({ at: 'ended', exit: { signed: -1 } });
    expect(double.connections).toHaveLength(1);
  });

  it('puts the first token on the first request', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    expect(double.connections[0]?.requests[0]?.headers.get('Authorization')).toMatch(/^Negotiate TlRMTVNTUAAB/);
    expect(double.connections[0]?.requests[2]?.headers.has('Authorization')).toBe(false);
    await session.close();
  });

  it('names its states on the way, and journals no secret, no command and no output', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: { ...COMMAND, command: 'type secret-file' } });
    const states: string[] = [];
    session.watch((state) => states.push(state.at));
    double.write('stdout', 'output-of-the-command');
    double.exit(0);
    await session.open();
    await textOf(session);
    await session.close();
    expect([...new Set(states)]).toEqual([
      'dialling',
      'authenticating',
      'opening-shell',
      'starting-command',
      'ready',
      'ended',
    ]);
    const journal = JSON.stringify(session.journal.entries);
    expect(journal).not.toMatch(/Passw0rd|secret-file|output-of-the-command/);
    expect(journal).toMatch(/"operation":"Receive"/);
    expect(session.lastRoundTripMs).toBe(0);
  });

  it('opens the second lane when stdin is first wanted, and closes stdin with End', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    const output = textOf(session);
    await session.writeText('a\r\n');
    await session.endInput();
    double.exit(0);
    await output;
    await session.close();
    expect(double.input).toEqual([
      { text: 'a\r\n', isEnd: false },
      { text: '', isEnd: true },
    ]);
    expect(double.connections.map(({ lane, handshakes }) => [lane, handshakes])).toEqual([
      ['output', 1],
      ['control', 1],
    ]);
  });
});

describe('an interactive session', () => {
  it('types on one lane while output waits on the other, each one connection with one handshake', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: INTERACTIVE });
    await session.open();
    const output = textOf(session);
    await settled();
    await session.writeText('dir\r\n');
    double.write('stdout', 'listing');
    double.exit(0);
    expect(await output).toEqual({ stdout: 'listing', stderr: '' });
    await session.close();
    expect(double.connections.map(({ lane, handshakes }) => [lane, handshakes])).toEqual([
      ['control', 1],
      ['output', 1],
    ]);
    const create = double.operations[0]?.xml ?? '';
    expect(session.promptWord).toMatch(/^[0-9a-f]{16}$/);
    expect(create).toContain(`$E]5985;${session.promptWord};$P$E\\$P$G`);
    const lanes = double.operations.map(({ name, connection }) => [name, double.connections[connection - 1]?.lane]);
    expect(lanes.filter(([name]) => name === 'Receive').every(([, lane]) => lane === 'output')).toBe(true);
    expect(lanes.filter(([name]) => name !== 'Receive').every(([, lane]) => lane === 'control')).toBe(true);
    expect(double.operations[1]?.xml).toContain('<w:Option Name="WINRS_CONSOLEMODE_STDIN">TRUE</w:Option>');
  });

  it('counts as one failed logon when the password is wrong: auth.rejected', async () => {
    const double = new WinRmDouble({ password: 'another' });
    const { session } = sessionWith(double, { shell: INTERACTIVE });
    await expect(session.open()).rejects.toMatchObject({ code: 'auth.rejected', details: { user: 'alice' } });
    await session.close();
    const authenticates = double.connections.flatMap(({ requests }) =>
      requests.filter(({ headers }) => fromBase64(headers.get('Authorization')?.split(' ')[1] ?? '')?.[8] === 3),
    );
    expect(authenticates).toHaveLength(1);
    expect(session.state).toMatchObject({ at: 'closed', error: { code: 'auth.rejected' } });
    expect(double.connections.every(({ pair }) => pair.destroyed.near() !== null)).toBe(true);
  });

  it('sends Ctrl+C and Ctrl+Break', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: INTERACTIVE });
    await session.open();
    await session.interrupt();
    await session.interrupt('ctrl-break');
    expect(double.signals).toEqual(['ctrl_c', 'ctrl_break']);
    await session.close();
  });

  it('swallows the last words of a Receive that waits when the shell is closed', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: INTERACTIVE });
    await session.open();
    const output = textOf(session);
    await settled();
    await session.close();
    expect(await output).toEqual({ stdout: '', stderr: '' });
    expect(double.signals).toEqual(['terminate']);
    expect(double.hasShell).toBe(false);
    expect(session.state).toEqual({ at: 'closed', error: null });
    await expect(session.exit).rejects.toMatchObject({ code: 'shell.closed' });
  });
});
