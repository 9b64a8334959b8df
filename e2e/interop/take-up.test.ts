import { parseCredential, parseTarget, Session, type SessionOptions } from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GssServer, RIG_ACCOUNT, startGssServer } from '../peers/peers.ts';
import { connectionsOf } from './run-session.ts';

// A server that shares no line with ours keeps a shell between two sessions of one person.

/** The server's other account. */
const ALICE = { user: 'RIG\\alice', password: 'Al1ce-pw' } as const;

let server: GssServer;
beforeEach(async () => {
  server = await startGssServer();
});
afterEach(() => server.stop());

function sessionOf({ user, password }: { user: string; password: string }, options: Partial<SessionOptions> = {}) {
  const { target } = parseTarget(`127.0.0.1:${server.port}`);
  return new Session({
    target,
    policy: 'negotiate',
    credential: parseCredential(user, password),
    openRoad: (_lane, onHop, signal) =>
      walkRoad({
        ...{ route: { name: '', hops: [] }, target, onHop, signal },
        ...{ dial: nodeDialer, platform: defaultPlatform },
      }),
    platform: defaultPlatform,
    shell: { kind: 'command', command: 'cat; exit 4', codePage: 65001 },
    ...options,
  });
}

async function until(session: Session, wanted: string): Promise<string> {
  let text = '';
  for await (const { stream, bytes } of session.output) {
    text += stream === 'gap' ? '|' : Buffer.from(bytes).toString('utf8');
    if (text.includes(wanted)) break;
  }
  return text;
}

/** A session that has made a shell, used it and left it. */
async function left(): Promise<NonNullable<Session['standing']>> {
  const session = sessionOf(RIG_ACCOUNT);
  await session.open();
  await session.writeText('one\n');
  await until(session, 'one\n');
  const { standing } = session;
  await session.leave();
  return standing ?? expect.fail('nothing stands');
}

const actions = () => connectionsOf(server).flatMap((connection) => connection.actions);

describe('a shell of the GSS-API server', () => {
  it('is taken up again by a new session, on new connections with new keys, and deleted by it', async () => {
    const takeUp = await left();
    const before = connectionsOf(server).length;
    const session = sessionOf(RIG_ACCOUNT, { takeUp });
    await session.open();
    await session.writeText('two\n');
    expect(await until(session, 'two\n')).toBe('|two\n');
    await session.endInput();
    await until(session, 'never said');
    expect((await session.exit).unsigned).toBe(4);
    await session.close();
    const own = connectionsOf(server).slice(before);
    for (const { handshakes, failures } of own) expect([handshakes, failures]).toEqual([1, 0]);
    expect(own.length).toBe(2);
    expect(actions().filter((action) => action === 'Create' || action === 'Command')).toHaveLength(2);
    expect(actions()).toContain('Delete');
  });

  it('is interrupted by the session that took it up', async () => {
    const takeUp = await left();
    const session = sessionOf(RIG_ACCOUNT, { takeUp });
    await session.open();
    await session.interrupt();
    await until(session, 'never said');
    expect((await session.exit).unsigned).toBe(130);
    await session.close();
  });

  it('is shell.gone for another person, and stays for its own', async () => {
    const takeUp = await left();
    const stranger = sessionOf(ALICE, { takeUp });
    await expect(stranger.open()).rejects.toMatchObject({ code: 'shell.gone', details: { shellId: takeUp.shellId } });
    await stranger.close();
    const owner = sessionOf(RIG_ACCOUNT, { takeUp });
    await owner.open();
    await owner.writeText('mine\n');
    expect(await until(owner, 'mine\n')).toBe('|mine\n');
    await owner.close();
  });

  it('is shell.gone once it was deleted', async () => {
    const takeUp = await left();
    const session = sessionOf(RIG_ACCOUNT, { takeUp });
    await session.open();
    await session.close();
    const late = sessionOf(RIG_ACCOUNT, { takeUp });
    await expect(late.open()).rejects.toMatchObject({ code: 'shell.gone' });
    await late.close();
  });
});
