import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { latin1Decode, latin1Encode, toBase64, utf8Encode, utf16leEncode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { fixedPlatform, settled, streamPair } from '../testing/index.ts';
import { type Obstacle, WinRmDouble } from '../testing/winrm-double.ts';
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

const PASSWORD = 'Correct-horse-9';
const COMMAND = 'type C:\\very-secret.txt';
const TYPED = 'typed-in-secret';

function sessionWith(openRoad: SessionOptions['openRoad'], options: Partial<SessionOptions>) {
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'negotiate-raw',
    credential: parseCredential('CORP\\alice', PASSWORD),
    openRoad,
    platform,
    shell: { kind: 'command', command: COMMAND, codePage: 65001 },
    ...options,
  });
  return { session, platform };
}

/** What must never be seen on the way: SOAP in any piece, the command, what was typed, the password in any spelling. */
function expectNothingReadable(wire: Uint8Array): void {
  const text = latin1Decode(wire);
  for (const word of [
    'Envelope',
    'soap-envelope',
    'schemas.',
    'ShellId',
    'uuid:',
    COMMAND,
    TYPED,
    PASSWORD,
    toBase64(utf8Encode(TYPED)),
  ]) {
    expect(text).not.toContain(word);
  }
  expect(text).not.toContain(latin1Decode(utf16leEncode(PASSWORD)));
}

/** Opens, types, reads, closes; whatever goes wrong must be one of our errors. */
async function use(session: Session, platform: ReturnType<typeof fixedPlatform>): Promise<void> {
  const all = Promise.allSettled([
    session
      .open()
      .then(() => Promise.allSettled([session.writeText(TYPED), session.output[Symbol.asyncIterator]().next()])),
  ]);
  for (let i = 0; i < 3; i++) {
    await settled();
    await platform.advance(100_000);
  }
  const closing = session.close();
  for (let i = 0; i < 3; i++) {
    await settled();
    await platform.advance(10_000);
  }
  await closing;
  for (const outcome of (await all).flat()) {
    if (outcome.status === 'rejected') expect(isWinRmError(outcome.reason)).toBe(true);
  }
}

const OPTIONS: Partial<SessionOptions>[] = [
  {},
  { bodyOnLastLeg: 'never' },
  { policy: 'ntlm' },
  { policy: 'negotiate' },
  { shell: { kind: 'interactive', codePage: 65001 } },
];

describe('the wire of an http target', () => {
  it('R18, R28, R29: carries nothing readable in a session that goes well', async () => {
    for (const options of OPTIONS.filter(({ policy }) => policy !== 'negotiate')) {
      for (const road of [{}, { hasProxy: true }, { hasProxy: true, form: 'absolute' as const }]) {
        const double = new WinRmDouble({ password: PASSWORD, road });
        const { session, platform } = sessionWith(double.openRoad, options);
        await use(session, platform);
        expect(double.input[0]?.text).toBe(TYPED);
        for (const { pair } of double.connections) {
          expectNothingReadable(pair.written.near());
          expect(latin1Decode(pair.written.near())).not.toMatch(/Basic /);
        }
      }
    }
  });

  it('R28, R31: carries nothing readable whatever a server answers, and whatever options are set', async () => {
    const statuses = fc.constantFrom(100, 200, 204, 301, 400, 401, 403, 404, 407, 413, 500, 503);
    const headers = fc.subarray([
      'WWW-Authenticate: Negotiate',
      'WWW-Authenticate: NTLM',
      'WWW-Authenticate: Basic realm="WSMAN"',
      'WWW-Authenticate: Negotiate AAAA',
      `WWW-Authenticate: NTLM ${toBase64(latin1Encode('NTLMSSP\0\u0002'))}`,
      'Content-Type: application/soap+xml;charset=UTF-8',
      'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"',
      'Via: 1.1 px',
      'Connection: close',
    ]);
    const body = fc.constantFrom(
      '',
      '<html>',
      '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
      '--Encrypted Boundary\r\n',
    );
    const reply = fc.record({ status: statuses, headers, body });
    // null lets the double play its honest part, so that the trouble begins at any point of the conversation.
    const plan = fc.array(fc.option(fc.oneof(reply, fc.constant('drop' as const)), { freq: 1 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(plan, fc.constantFrom(...OPTIONS), fc.boolean(), async (obstacles, options, hasProxy) => {
        const double = new WinRmDouble({ password: PASSWORD, road: { hasProxy } });
        const queue: (Obstacle | null)[] = [...obstacles];
        double.onRequest = () => queue.shift() ?? undefined;
        const { session, platform } = sessionWith(double.openRoad, options);
        await use(session, platform);
        for (const { pair } of double.connections) expectNothingReadable(pair.written.near());
      }),
      { numRuns: 150 },
    );
  });

  it('carries nothing readable to a peer that speaks no HTTP at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
        fc.constantFrom(...OPTIONS),
        async (pieces, options) => {
          const pairs: ReturnType<typeof streamPair>[] = [];
          const { session, platform } = sessionWith(async () => {
            const pair = streamPair();
            pairs.push(pair);
            for (const piece of pieces) await pair.far.write(piece);
            return { stream: pair.near, form: 'origin', hasProxy: false };
          }, options);
          await use(session, platform);
          for (const pair of pairs) expectNothingReadable(pair.written.near());
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('Basic and certificates on an http target', () => {
  it('R11, R26, R28: are misuse.bad-argument, and no road is opened whatever else is set', async () => {
    for (const policy of ['basic', 'certificate'] as const) {
      for (const options of OPTIONS) {
        const double = new WinRmDouble({ password: PASSWORD });
        const { session } = sessionWith(double.openRoad, { ...options, policy });
        await expect(session.open()).rejects.toMatchObject({ code: 'misuse.bad-argument' });
        await session.close();
        expect(double.connections).toEqual([]);
      }
    }
  });
});

describe('what is refused before anything is sent', () => {
  const command = { kind: 'command', codePage: 65001 } as const;
  it.each([
    [{ ...command, command: '' }, 'empty'],
    [{ ...command, command: '   ' }, 'empty'],
    [{ ...command, command: 'x'.repeat(8192) }, 'too-long'],
    [{ ...command, command: 'x'.repeat(1_000_000) }, 'too-long'],
    [{ ...command, command: 'echo \ud800' }, 'lone-surrogate'],
    [{ ...command, command: 'echo \u0000' }, 'control-character'],
    [{ ...command, command: 'echo a\r\nformat c:' }, 'control-character'],
    [{ ...command, command: 'echo \u001b' }, 'control-character'],
    [{ ...command, command: 'echo \ufffe' }, 'control-character'],
    [{ ...command, command: 'x', codePage: 65002 }, 'unknown-code-page'],
    [{ ...command, command: 'x', codePage: Number.NaN }, 'unknown-code-page'],
    [{ ...command, command: 'x', workingDirectory: 'C:\\\u0007' }, 'control-character'],
    [{ ...command, command: 'x', workingDirectory: 'C'.repeat(40_000) }, 'too-long'],
    [{ ...command, command: 'x', environment: { '': 'x' } }, 'empty'],
    [{ ...command, command: 'x', environment: { 'A=B': 'x' } }, 'malformed'],
    [{ ...command, command: 'x', environment: { A: '\ud800' } }, 'lone-surrogate'],
    [
      {
        ...command,
        command: 'x',
        environment: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`V${i}`, ''])),
      },
      'too-long',
    ],
    [{ ...command, command: 'x', idleTimeoutSeconds: 59 }, 'out-of-range'],
    [{ ...command, command: 'x', idleTimeoutSeconds: Infinity }, 'out-of-range'],
    [{ kind: 'interactive', codePage: -1 }, 'unknown-code-page'],
  ] as const)('is misuse.bad-argument (case %#)', async (shell, reason) => {
    const double = new WinRmDouble();
    const { session } = sessionWith(double.openRoad, { shell });
    await expect(session.open()).rejects.toMatchObject({ code: 'misuse.bad-argument', details: { reason } });
    expect(session.state).toMatchObject({ at: 'closed', error: { code: 'misuse.bad-argument' } });
    expect(double.connections).toEqual([]);
  });

  it('is an absurd target too, and an envelope larger than the server takes: wsman.envelope-too-large', async () => {
    const double = new WinRmDouble();
    const target = { ...parseTarget('srv1').target, host: 'srv1\r\nX: y' };
    await expect(sessionWith(double.openRoad, { target }).session.open()).rejects.toMatchObject({
      code: 'misuse.bad-argument',
    });
    const environment = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`V${i}`, 'x'.repeat(30_000)]));
    const { session } = sessionWith(double.openRoad, { shell: { ...command, command: 'x', environment } });
    await expect(session.open()).rejects.toMatchObject({
      code: 'wsman.envelope-too-large',
      details: { limitBytes: 153_600 },
    });
    expect(double.connections).toEqual([]);
  });

  it('takes the longest line, and text in the code page only', async () => {
    const double = new WinRmDouble({ password: PASSWORD });
    const { session } = sessionWith(double.openRoad, {
      shell: { ...command, command: `\t${'x'.repeat(8190)}`, codePage: 437 },
    });
    await session.open();
    await expect(session.writeText('Привет')).rejects.toMatchObject({ details: { reason: 'not-in-code-page' } });
    await expect(session.writeText('\ud800')).rejects.toMatchObject({ details: { reason: 'lone-surrogate' } });
    expect(double.input).toEqual([]);
    await session.close();
  });
});
