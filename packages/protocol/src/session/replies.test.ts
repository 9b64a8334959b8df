import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import type { ErrorCode } from '../errors.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { answer, type DoubleReply, fault, WinRmDouble } from '../testing/winrm-double.ts';
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;

function sessionWith(double: WinRmDouble, options: Partial<SessionOptions> = {}) {
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('alice', 'Passw0rd!'),
    openRoad: double.openRoad,
    platform,
    shell: COMMAND,
    ...options,
  });
  return { session, platform };
}

async function take(session: Session): Promise<void> {
  for await (const _ of session.output);
}

const SOAP = 'Content-Type: application/soap+xml;charset=UTF-8';
const HTML = 'Content-Type: text/html';
const ENVELOPE =
  answer('uuid:x', '<rsp:CommandResponse><rsp:CommandId>C</rsp:CommandId></rsp:CommandResponse>').body ?? '';

describe('a reply that is not sealed', () => {
  const cases: [string, DoubleReply, ErrorCode][] = [
    ['200 with an envelope', { status: 200, headers: [SOAP], body: ENVELOPE }, 'seal.plain-reply'],
    ['200 and nothing', { status: 200 }, 'seal.plain-reply'],
    ['204', { status: 204 }, 'seal.plain-reply'],
    ['500 with a plain fault', { status: 500, headers: [SOAP], body: ENVELOPE }, 'seal.plain-reply'],
    ['500 and nothing', { status: 500 }, 'wsman.encryption-required'],
    ['500 and a page', { status: 500, headers: [HTML], body: '<h1>Oops</h1>' }, 'wsman.not-wsman'],
    ['404', { status: 404, headers: [HTML], body: '<h1>Not here</h1>' }, 'wsman.not-wsman'],
    ['405', { status: 405 }, 'wsman.not-wsman'],
    ['400 on a direct road', { status: 400 }, 'http.unexpected-status'],
    ['413', { status: 413 }, 'http.unexpected-status'],
    ['503', { status: 503, headers: [HTML], body: 'busy' }, 'http.unexpected-status'],
    ['302', { status: 302, headers: ['Location: http://evil/'] }, 'http.unexpected-status'],
    ['407', { status: 407, headers: ['Proxy-Authenticate: Basic'] }, 'proxy.auth-required'],
  ];
  it.each(cases)('R27, R31: is never believed: %s', async (_, reply, code) => {
    const double = new WinRmDouble();
    double.before = ({ name }) => (name === 'Command' ? reply : undefined);
    const { session } = sessionWith(double);
    // Nor does anyone's refusal say that the command did not run.
    const told = code.startsWith('seal.') ? { code } : { code: 'shell.fate-unknown', cause: { code } };
    await expect(session.open()).rejects.toMatchObject(told);
    const pair = double.connections[0]?.pair;
    expect(pair?.destroyed.near()).not.toBeNull(); // the connection is not used again
    await session.close();
  });

  it.each(cases)('is not believed on the last leg either: %s', async (_, reply, code) => {
    const double = new WinRmDouble();
    double.before = () => reply;
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({ code });
    await session.close();
  });

  it.each([
    [404, 'wsman.not-wsman'],
    [503, 'http.unexpected-status'],
    [500, 'http.unexpected-status'],
  ])('ends authentication only with a 2xx: an empty last leg that is answered %i is %s', async (status, code) => {
    const double = new WinRmDouble();
    let legs = 0;
    double.onRequest = () => (++legs === 2 ? { status } : undefined);
    const { session } = sessionWith(double, { bodyOnLastLeg: 'never' });
    await expect(session.open()).rejects.toMatchObject({ code });
    expect(double.operations).toEqual([]);
    await session.close();
  });
});

describe('something that is not WinRM', () => {
  it.each([200, 204, 404, 405, 501])('is wsman.not-wsman when it answers the first token with %i', async (status) => {
    const double = new WinRmDouble();
    double.onRequest = () => ({ status, headers: [HTML], body: status === 204 ? '' : '<p>Welcome</p>' });
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'wsman.not-wsman',
      details: { status, contentType: 'text/html', text: status === 204 ? '' : 'Welcome' },
    });
    expect(double.connections[0]?.pair.destroyed.near()).not.toBeNull();
  });

  it('is http.not-http when it does not even speak HTTP', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double, {
      openRoad: async (...all) => {
        const road = await double.openRoad(...all);
        await double.connections[0]?.pair.far.write(new TextEncoder().encode('SSH-2.0-OpenSSH_9.2\r\n'));
        return road;
      },
    });
    await expect(session.open()).rejects.toMatchObject({ code: 'http.not-http' });
  });
});

describe('a sealed reply', () => {
  it('R30: with a broken seal ends the session: seal.bad-signature', async () => {
    const double = new WinRmDouble();
    double.after = ({ name }, reply) => {
      if (name !== 'Command') return undefined;
      const pair = double.connections[0]?.pair;
      const write = pair?.far.write.bind(pair.far);
      if (pair && write) {
        pair.far.write = (bytes) => {
          const spoilt = bytes.slice();
          const at = spoilt.length - 60;
          spoilt[at] = (spoilt[at] ?? 0) ^ 1;
          return write(spoilt);
        };
      }
      return reply;
    };
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({ code: 'seal.bad-signature' });
    await session.close();
  });

  it('R13: that relates to another request is wsman.wrong-reply', async () => {
    const double = new WinRmDouble();
    double.after = ({ name }) => (name === 'Command' ? answer('uuid:SOMEBODY-ELSE', '<x/>') : undefined);
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'wsman.wrong-reply',
      details: { received: 'uuid:SOMEBODY-ELSE' },
    });
    await session.close();
  });

  it.each([
    ['no XML', 'hello'],
    ['not UTF-8', Uint8Array.of(0xff, 0xfe)],
    ['a document type', '<!DOCTYPE x><x/>'],
    ['nested without end', '<a>'.repeat(500)],
  ])('with %s inside is wsman.malformed', async (_, body) => {
    const double = new WinRmDouble();
    double.after = ({ name }) => (name === 'Command' ? { status: 200, isSealed: true, body } : undefined);
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({ code: 'wsman.malformed' });
    await session.close();
  });

  it('may be padded with NULs and begin with a byte-order mark', async () => {
    const double = new WinRmDouble();
    double.after = (_, reply) => ({ ...reply, body: `\ufeff${String(reply.body)}\0\0` });
    const { session } = sessionWith(double);
    await session.open();
    await session.close();
  });
});

describe('a fault', () => {
  it.each([
    ['Create', '5', 'w:AccessDenied', 'wsman.access-denied'],
    ['Create', '2150859173', 'w:QuotaLimit', 'wsman.quota'],
    ['Create', '2150858793', 'w:TimedOut', 'wsman.timed-out'],
    ['Create', '', 'w:EncodingLimit', 'wsman.envelope-too-large'],
    ['Command', '2150859174', 'w:QuotaLimit', 'wsman.quota'],
    ['Command', '2150858843', 'w:InvalidSelectors', 'wsman.shell-gone'],
    ['Command', '267', 'w:InternalError', 'wsman.fault'],
  ])('in answer to %s with number "%s" (%s) is %s', async (operation, code, subcode, error) => {
    const double = new WinRmDouble();
    double.before = ({ name, messageId }) =>
      name === operation ? fault(messageId, code, subcode, 'words') : undefined;
    const { session } = sessionWith(double);
    await expect(session.open()).rejects.toMatchObject({ code: error });
    await session.close();
    expect(double.hasShell).toBe(false);
  });

  it('may relate to nothing, when the server could not read our header', async () => {
    const double = new WinRmDouble();
    double.before = ({ name }) =>
      name === 'Create' ? fault('', '2150858770', 'w:SchemaValidationError', 'x') : undefined;
    await expect(sessionWith(double).session.open()).rejects.toMatchObject({ code: 'wsman.fault' });
  });

  it('that says "nothing yet" is no error: the Receive is asked again', async () => {
    const double = new WinRmDouble();
    const { session, platform } = sessionWith(double);
    await session.open();
    const taken = take(session);
    for (let round = 0; round < 3; round++) {
      await settled();
      double.expire();
      await settled();
      await platform.advance(300); // one that comes at once is not asked again at once
    }
    double.exit(7);
    await taken;
    expect(await session.exit).toEqual({ signed: 7, unsigned: 7 });
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(4);
  });

  it('that the shell has gone is the end: wsman.shell-gone, and the session is lost', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    double.hasShell = false;
    await expect(take(session)).rejects.toMatchObject({ code: 'wsman.shell-gone' });
    expect(session.state).toMatchObject({ at: 'lost', error: { code: 'wsman.shell-gone' }, canReconnect: true });
    await expect(session.exit).rejects.toMatchObject({ code: 'wsman.shell-gone' });
    await expect(session.writeText('x')).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await session.close();
  });

  it('that a Receive was aborted although nobody here asked for it is shell.closed', async () => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double);
    await session.open();
    double.isTerminated = true;
    await expect(take(session)).rejects.toMatchObject({ code: 'shell.closed', details: { reason: 'aborted' } });
    await session.close();
  });

  it('that the pipe has ended closes stdin, not the session: shell.closed', async () => {
    const double = new WinRmDouble();
    double.before = ({ name, messageId }) =>
      name === 'Send' ? fault(messageId, '109', 'w:InternalError', 'x') : undefined;
    const { session } = sessionWith(double);
    await session.open();
    await expect(session.writeText('x')).rejects.toMatchObject({ code: 'shell.closed', details: { reason: 'stdin' } });
    expect(session.state.at).toBe('ready');
    await session.close();
  });

  it('that a Send timed out leaves its fate unknown: shell.fate-unknown', async () => {
    const double = new WinRmDouble();
    double.before = ({ name, messageId }) =>
      name === 'Send' ? fault(messageId, '2150858793', 'w:TimedOut', 'x') : undefined;
    const { session } = sessionWith(double);
    await session.open();
    await expect(session.writeText('x')).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    await session.close();
  });
});

describe('a server that does not answer', () => {
  it('is given up after 30 s on the first leg, which asks for nothing that takes longer', async () => {
    const double = new WinRmDouble();
    double.onRequest = () => new Promise<never>(() => undefined);
    const { session, platform } = sessionWith(double);
    const opening = expect(session.open()).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { seconds: 30 },
    });
    await settled();
    await platform.advance(30_000);
    await opening;
  });

  it('is session.timed-out, with the step that waited', async () => {
    const double = new WinRmDouble();
    double.before = () => new Promise<undefined>(() => undefined);
    const { session, platform } = sessionWith(double, { bodyOnLastLeg: 'never' });
    const opening = expect(session.open()).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'Create', seconds: 65 },
    });
    await settled();
    await platform.advance(65_000);
    await opening;
    await session.close();
  });
});
