import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../bytes/bytes.ts';
import type { ShellOptions } from '../shell/shell-options.ts';
import { settled } from '../testing/index.ts';
import { sessionWith, textOf } from '../testing/rehearsed-session.ts';
import { fault, WinRmDouble } from '../testing/winrm-double.ts';

const INTERACTIVE = { kind: 'interactive', codePage: 65001 } as const;
const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;
const STANDING = { shellId: 'SHELL-1', commandId: 'COMMAND-1', promptWord: '0123456789abcdef' } as const;

/** A double whose shell was made by somebody before. */
function withShell(options: ConstructorParameters<typeof WinRmDouble>[0] = {}): WinRmDouble {
  const double = new WinRmDouble(options);
  double.hasShell = true;
  return double;
}

describe('a shell that is taken up again', () => {
  it.each([
    ['an interactive one', INTERACTIVE],
    ['a single command', COMMAND],
  ] satisfies [string, ShellOptions][])('goes on where it is, after a gap: %s', async (_name, shell) => {
    const double = withShell();
    double.write('stdout', 'later');
    const { session } = sessionWith(double, { shell, takeUp: STANDING });
    const states: string[] = [];
    session.watch(({ at }) => states.push(at));
    await session.open();
    expect(double.names).toEqual(['Receive']);
    expect([session.promptWord, session.standing]).toEqual([STANDING.promptWord, STANDING]);
    expect([...new Set(states)]).toEqual(['dialling', 'authenticating', 'opening-shell', 'ready']);
    const output = textOf(session);
    await session.writeText('dir\r\n');
    await session.interrupt();
    double.write('stdout', ' and later');
    double.exit(3);
    expect(await output).toBe('|later and later');
    expect(await session.exit).toMatchObject({ unsigned: 3 });
    await session.close();
    expect(double.input).toEqual([{ text: 'dir\r\n', isEnd: false }]);
    expect(double.signals).toEqual(['ctrl_c', 'terminate']);
    expect(double.hasShell).toBe(false);
    expect(session.standing).toBeNull();
    const names = new Set(double.operations.map(({ xml }) => /Name="ShellId">([^<]*)</.exec(xml)?.[1]));
    expect([...names]).toEqual([STANDING.shellId]);
    expect(double.connections.map(({ lane, handshakes }) => [lane, handshakes])).toEqual([
      ['output', 1],
      ['control', 1],
    ]);
  });

  it('says the gap before anything is asked, and that the shell is there although it has nothing to say', async () => {
    const double = withShell();
    const { session } = sessionWith(double, { shell: COMMAND, takeUp: STANDING });
    const opening = session.open();
    await expect.poll(() => double.names).toEqual(['Receive']);
    double.expire();
    await opening;
    const first = await session.output[Symbol.asyncIterator]().next();
    expect(first.value).toMatchObject({ stream: 'gap' });
    expect(double.names).toEqual(['Receive']);
    expect(double.operations[0]?.xml).toContain('<w:OperationTimeout>PT1S</w:OperationTimeout>');
    await session.close();
  });

  it('has one gap where it begins, also when a connection is lost before anything was heard', async () => {
    const double = withShell();
    const { session } = sessionWith(double, { shell: COMMAND, takeUp: STANDING });
    const opening = session.open();
    await expect.poll(() => double.names).toEqual(['Receive']);
    double.expire();
    await opening;
    const output = textOf(session);
    await settled();
    double.endConnections();
    await expect.poll(() => double.names).toHaveLength(3);
    double.write('stdout', 'x');
    double.exit(0);
    expect(await output).toBe('|x');
    await session.close();
  });

  it.each([false, true])('waits for a server that answers an earlier Receive first (proxy: %s)', async (hasProxy) => {
    const double = withShell({ road: { hasProxy } });
    const { session, platform } = sessionWith(double, { shell: COMMAND, takeUp: STANDING });
    const opening = session.open();
    await expect.poll(() => double.names).toEqual(['Receive']);
    await platform.advance(20_000);
    double.write('stdout', 'late');
    await opening;
    expect(double.connections).toHaveLength(1);
    await session.close();
  });

  it('is shell.gone when the server has it no more; nothing is made, deleted or asked twice', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { takeUp: STANDING });
    await expect(session.open()).rejects.toMatchObject({
      code: 'shell.gone',
      recovery: 'reconnect',
      details: { shellId: 'SHELL-1', text: 'gone' },
    });
    await session.close();
    expect(double.names).toEqual(['Receive']);
    expect(session.standing).toBeNull();
    expect(session.state).toMatchObject({ at: 'closed', error: { code: 'shell.gone' } });
  });

  it.each(['output', 'silence'])(
    'is wsman.shell-gone, as ever, when it ends after it has been heard of: %s',
    async (heard) => {
      const double = withShell();
      double.write('stdout', 'found');
      const { session, platform } = sessionWith(double, { shell: COMMAND, takeUp: STANDING });
      await session.open();
      const output = textOf(session).catch((error: unknown) => error);
      await settled();
      double.endConnections();
      await expect.poll(() => double.names.length).toBe(3); // the probe, a Receive that was lost, and another
      if (heard === 'output') double.write('stdout', 'more');
      else double.expire();
      await settled();
      await platform.advance(1000);
      await expect.poll(() => double.names.length).toBe(4);
      double.hasShell = false;
      double.expire();
      expect(await output).toMatchObject({ code: 'wsman.shell-gone' });
      expect(session.standing).toBeNull();
      await session.close();
    },
  );

  it('counts as one failed logon when the password is wrong: auth.rejected', async () => {
    const double = withShell({ password: 'another' });
    const { session } = sessionWith(double, { takeUp: STANDING });
    await expect(session.open()).rejects.toMatchObject({ code: 'auth.rejected' });
    await session.close();
    const logons = double.connections.flatMap(({ requests }) =>
      requests.filter(({ headers }) => fromBase64(headers.get('Authorization')?.split(' ')[1] ?? '')?.[8] === 3),
    );
    expect(logons).toHaveLength(1);
    expect(double.hasShell).toBe(true);
  });

  it.each([
    { ...STANDING, shellId: '' },
    { ...STANDING, commandId: 'x'.repeat(200) },
    { ...STANDING, shellId: 'a\u0000b' },
    { ...STANDING, promptWord: 'no word' },
  ])('is misuse.bad-argument, and no road is opened, for what cannot be one: %j', async (takeUp) => {
    const double = withShell();
    const { session } = sessionWith(double, { takeUp });
    await expect(session.open()).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { argument: 'takeUp' },
    });
    expect(double.connections).toEqual([]);
  });
});

describe('a session that leaves its shell', () => {
  it('sends no farewell, ends its output, and tells what another needs to go on', async () => {
    const double = new WinRmDouble();
    const first = sessionWith(double);
    expect(first.session.standing).toBeNull();
    await first.session.open();
    const output = textOf(first.session);
    await settled();
    await first.session.leave();
    expect(await output).toBe('');
    expect(first.session.state).toEqual({ at: 'closed', error: null });
    expect(double.names).toEqual(['Create', 'Command', 'Receive']);
    const { standing } = first.session;
    expect(standing).toEqual({ shellId: 'SHELL-1', commandId: 'COMMAND-1', promptWord: first.session.promptWord });
    expect(double.connections.every(({ pair }) => pair.destroyed.near() !== null)).toBe(true);
    await first.session.close();
    expect(double.hasShell).toBe(true);

    double.write('stdout', 'still here');
    const second = sessionWith(double, { takeUp: standing });
    await second.session.open();
    double.exit(0);
    expect(await textOf(second.session)).toBe('|still here');
    await second.session.close();
    expect(double.hasShell).toBe(false);
  });

  it('has none to tell of when its command has ended', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, { shell: COMMAND });
    await session.open();
    double.exit(0);
    await textOf(session);
    expect(session.standing).toBeNull();
    await session.close();
  });

  it('keeps to itself that the shell is gone when it is being closed', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    const output = textOf(session);
    await settled();
    double.before = ({ name, messageId }) => {
      if (name !== 'Signal') return undefined;
      double.hasShell = false;
      double.expire();
      return fault(messageId, '2150858843', 'w:InvalidSelectors', 'gone');
    };
    await session.close();
    expect(await output).toBe('');
    expect(session.state).toEqual({ at: 'closed', error: null });
    expect(session.standing).toBeNull();
  });
});
