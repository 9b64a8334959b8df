import { parseCredential, parseTarget, Session, type SessionOptions } from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWinRmHost, type WinRmHost } from '../../testbed/src/index.ts';

const ANA = { user: 'ana', domain: 'CORP', password: 'Correct-horse-9' };
const BOB = { user: 'bob', domain: 'CORP', password: 'Battery-staple-8' };

let host: WinRmHost;
beforeEach(async () => {
  host = await startWinRmHost({ accounts: [ANA, BOB] });
});
afterEach(() => host.close());

/** A session as one tab of one person has it: nothing is shared with any other. */
function sessionOf(person: typeof ANA, options: Partial<SessionOptions> = {}): Session {
  const { target } = parseTarget(`127.0.0.1:${host.port}`);
  return new Session({
    target,
    policy: 'negotiate',
    credential: parseCredential(`${person.domain}\\${person.user}`, person.password),
    openRoad: (_lane, onHop, signal) =>
      walkRoad({
        ...{ route: { name: '', hops: [] }, target, onHop, signal },
        ...{ dial: nodeDialer, platform: defaultPlatform },
      }),
    platform: defaultPlatform,
    shell: { kind: 'interactive', codePage: 65001 },
    ...options,
  });
}

/** Takes output until some texts have come, "|" where some may be missing; a later call goes on where this one stopped. */
async function until(session: Session, ...wanted: readonly string[]): Promise<string> {
  let text = '';
  for await (const { stream, bytes } of session.output) {
    text += stream === 'gap' ? '|' : Buffer.from(bytes).toString('utf8');
    if (wanted.every((one) => text.includes(one))) break;
  }
  return text;
}

const shellsOf = () => host.journal.entries.filter(({ event }) => event === 'shell').length;

describe('a shell on a host that keeps it while nobody is connected', () => {
  it('goes on for the person who made it: its variables, its running command, its prompts, its input', async () => {
    const first = sessionOf(ANA);
    await first.open();
    await first.writeText('set COLOUR=green\r\n');
    await first.writeText('echo begun & sleep 2 & echo ended\r\n');
    await until(first, 'begun\n');
    const { standing } = first;
    await first.leave();
    expect(host.shellCount).toBe(1);

    const second = sessionOf(ANA, { takeUp: standing });
    await second.open();
    const rest = await until(second, 'ended');
    expect(rest.startsWith('|')).toBe(true);
    expect(second.promptWord).toBe(first.promptWord);
    await second.writeText('echo %COLOUR% still\r\n');
    await until(second, 'green still', `5985;${standing?.promptWord};`);
    await second.writeText("sh -c 'echo a''sleep; exec sleep 60'\r\n");
    await until(second, 'asleep'); // said by the program itself: the echo of the line has the quotes
    await second.interrupt();
    await second.writeText('exit 5\r\n');
    await until(second, 'never said');
    expect((await second.exit).unsigned).toBe(5);
    await second.close();
    expect(host.shellCount).toBe(0);
    expect(shellsOf()).toBe(2); // one opened, one closed
  });

  it('is not there for anybody else: shell.gone, and its owner notices nothing', async () => {
    const owner = sessionOf(ANA, { shell: { kind: 'command', command: 'cat', codePage: 65001 } });
    await owner.open();
    const { standing } = owner;
    const stranger = sessionOf(BOB, { takeUp: standing });
    await expect(stranger.open()).rejects.toMatchObject({ code: 'shell.gone' });
    await stranger.close();
    await owner.writeText('mine\n');
    expect(await until(owner, 'mine')).toBe('mine\n');
    await owner.leave();
    const again = sessionOf(ANA, { takeUp: standing, shell: { kind: 'command', command: 'cat', codePage: 65001 } });
    await again.open();
    await again.close();
    expect(host.shellCount).toBe(0);
  });

  it('is shell.gone when the host has closed it', async () => {
    const first = sessionOf(ANA);
    await first.open();
    await first.leave();
    host.closeShells();
    const second = sessionOf(ANA, { takeUp: first.standing });
    await expect(second.open()).rejects.toMatchObject({
      code: 'shell.gone',
      details: { shellId: first.standing?.shellId },
    });
    await second.close();
  });

  it('is shell.gone when its command has been ended', async () => {
    const first = sessionOf(ANA, { shell: { kind: 'command', command: 'exit 3', codePage: 65001 } });
    await first.open();
    const { standing } = first;
    await until(first, 'never said');
    await expect.poll(() => first.state.at).toBe('ended');
    await first.close();
    const second = sessionOf(ANA, { takeUp: standing });
    await expect(second.open()).rejects.toMatchObject({ code: 'shell.gone' });
    await second.close();
  });

  it('is taken over from a session that still waits for its output', async () => {
    const first = sessionOf(ANA, { shell: { kind: 'command', command: 'cat', codePage: 65001 }, patienceMs: 0 });
    await first.open();
    const sent = first.counts.requestBytes;
    const firstOutput = until(first, 'never said').catch((error: unknown) => error);
    await expect.poll(() => first.counts.requestBytes).toBeGreaterThan(sent);
    const second = sessionOf(ANA, {
      takeUp: first.standing,
      shell: { kind: 'command', command: 'cat', codePage: 65001 },
    });
    await second.open();
    await second.writeText('to the second\n');
    expect(await until(second, 'second')).toBe('|to the second\n');
    expect(await firstOutput).toMatchObject({ code: 'shell.closed', details: { reason: 'aborted' } });
    await first.close();
    await second.writeText('and again\n');
    expect(await until(second, 'again')).toBe('and again\n');
    await second.close();
  });

  it('goes on in the same session when every connection is cut under it', async () => {
    const session = sessionOf(ANA, { shell: { kind: 'command', command: 'cat', codePage: 65001 } });
    await session.open();
    await session.writeText('one\n');
    await until(session, 'one');
    const waiting = until(session, 'two');
    const { handshakes } = session.counts;
    expect(host.killConnections('reset')).toBe(2);
    await expect.poll(() => session.counts.handshakes).toBe(handshakes + 1); // the lane that waited for output
    await session.writeText('two\n');
    expect(await waiting).toBe('|two\n');
    await session.close();
    expect(shellsOf()).toBe(2);
  });
});
