import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { latin1Decode, toBase64, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { fixedPlatform, settled, streamPair } from '../testing/index.ts';
import { type FrontIdentity, type TlsFront, tlsFront } from '../testing/tls-front.ts';
import { type DoubleOptions, WinRmDouble } from '../testing/winrm-double.ts';
import { openClientCertificate } from '../tls/client-certificate.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import type { TrustAnswer, TrustQuestion } from './first-contact.ts';
import { identify } from './identify.ts';
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

/** Within the years of the vectors' certificates. */
const NOW_MS = Date.UTC(2030, 0, 1);
const PASSWORD = 'Correct-horse-9';
const COMMAND = 'type C:\\very-secret.txt';
const OUTPUT = 'output-of-the-command';
const BASIC = `Basic ${toBase64(utf8Encode(`CORP\\alice:${PASSWORD}`))}`;
const MUTUAL = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual';

/** The SHA-256 thumbprint of a vector's certificate, with Node's own reader. */
const thumbprintOf = async ({ certificate }: FrontIdentity): Promise<string> => {
  const { X509Certificate } = await import('node:crypto');
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '');
};
const certificateOf = ({ certificate, key }: FrontIdentity) =>
  openClientCertificate([utf8Encode(certificate + key)], null);

const opened: Session[] = [];
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
});

interface Scene {
  readonly session: Session;
  readonly double: WinRmDouble;
  readonly front: TlsFront;
  readonly platform: ReturnType<typeof fixedPlatform>;
  readonly questions: TrustQuestion[];
  readonly states: string[];
}

/** A session with a double behind Node's TLS; a person who answers at once. */
function scene(
  options: Partial<SessionOptions> & { server?: DoubleOptions; answer?: TrustAnswer; identity?: FrontIdentity } = {},
): Scene {
  const { server, answer = 'trust-once', identity = peers.p256, ...rest } = options;
  const double = new WinRmDouble({ password: PASSWORD, takesPlain: true, ...server });
  const front = tlsFront(double.openRoad, identity);
  const platform = fixedPlatform({ nowMs: NOW_MS });
  const questions: TrustQuestion[] = [];
  const ask = async (question: TrustQuestion): Promise<TrustAnswer> => {
    questions.push(question);
    return answer;
  };
  const session = new Session({
    target: parseTarget('https://peer').target,
    policy: 'negotiate-raw',
    credential: parseCredential('CORP\\alice', PASSWORD),
    openRoad: front.openRoad,
    platform,
    shell: { kind: 'command', command: COMMAND, codePage: 65001 },
    trust: { policy: { roots: [], pins: [] }, ask },
    ...rest,
  });
  opened.push(session);
  const states: string[] = [];
  session.watch(({ at }) => states.push(at));
  return { session, double, front, platform, questions, states };
}

async function firstOutput({ session, double }: Scene): Promise<string> {
  double.write('stdout', OUTPUT);
  await session.open();
  const { value } = await session.output[Symbol.asyncIterator]().next();
  return utf8Decode(value?.bytes ?? new Uint8Array());
}

/** Nothing of HTTP, SOAP, the command, its output or the password can be seen on the road. */
function expectNothingReadable({ front }: Scene): void {
  expect(front.pairs.length).toBeGreaterThan(0);
  for (const { written } of front.pairs) {
    const text = latin1Decode(written.near()) + latin1Decode(written.far());
    for (const word of [
      'HTTP/1.1',
      'POST',
      'Envelope',
      'Basic',
      'NTLMSSP',
      COMMAND,
      OUTPUT,
      PASSWORD,
      BASIC.slice(6),
    ]) {
      expect(text).not.toContain(word);
    }
  }
}

/** ClientHello, alerts and what TLS 1.2 sends before the server has proved itself; no application data. */
function recordTypes(bytes: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < bytes.length; at += 5 + ((bytes[at + 3] ?? 0) << 8) + (bytes[at + 4] ?? 0)) {
    types.push(bytes[at] ?? 0);
  }
  return types;
}

describe('a session with an https target', () => {
  it('asks about a host met for the first time, then carries plain envelopes inside TLS', async () => {
    const all = scene();
    expect(await firstOutput(all)).toBe(OUTPUT);
    expect([...new Set(all.states)]).toEqual([
      'dialling',
      'securing',
      'judging',
      'authenticating',
      'opening-shell',
      'starting-command',
      'ready',
    ]);
    const sha256 = await thumbprintOf(peers.p256);
    expect(all.questions).toMatchObject([
      { target: 'peer:5986', evidence: { subject: 'CN=peer', names: 'peer', sha256 }, pin: { sha256 }, warnings: [] },
    ]);
    const posts = all.double.connections[0]?.requests ?? [];
    expect(posts.map(({ headers }) => headers.get('Content-Type')).every((type) => type?.includes('soap+xml'))).toBe(
      true,
    );
    expect(posts[0]?.headers.get('Host')).toBe('peer:5986');
    expect(all.session.counts).toMatchObject({ exchanges: 4, connections: 1, handshakes: 1 });
    expectNothingReadable(all);
  });

  it('journals what TLS settled and what was answered, and no secret', async () => {
    const all = scene({ answer: 'pin' });
    await firstOutput(all);
    const sha256 = await thumbprintOf(peers.p256);
    const events = all.session.journal.entries.map(({ what }) => what);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'tls', lane: 'output', version: '1.3', sha256, trustedBy: 'person' }),
    );
    expect(events).toContainEqual({ event: 'trust', what: 'asked', sha256 });
    expect(events).toContainEqual({ event: 'trust', what: 'pin', sha256 });
    expect(JSON.stringify(events)).not.toMatch(/Correct-horse|very-secret|output-of/);
  });

  it('asks once for both lanes of an interactive shell', async () => {
    const all = scene({ shell: { kind: 'interactive', codePage: 65001 } });
    await firstOutput(all);
    await all.session.writeText('dir\r\n');
    expect(all.questions).toHaveLength(1);
    expect(all.double.connections.map(({ handshakes }) => handshakes)).toEqual([1, 1]);
    expect(all.session.journal.entries.filter(({ what }) => what.event === 'tls')).toHaveLength(2);
    expectNothingReadable(all);
  });

  it('asks nobody when a pin or a root vouches for the host', async () => {
    const pin = { sha256: await thumbprintOf(peers.p256), issuer: 'CN=peer', sinceMs: 0 };
    const { certificate } = certificateOf(peers.p256);
    for (const policy of [
      { roots: [], pins: [pin] },
      { roots: [certificate], pins: [] },
    ]) {
      const ask = () => Promise.reject(new Error('nobody is asked'));
      const all = scene({ trust: { policy, ask } });
      expect(await firstOutput(all)).toBe(OUTPUT);
      expect(all.states).not.toContain('judging');
    }
  });

  it('opens a lane anew inside TLS after the server has closed it, without another question', async () => {
    const all = scene({ server: { closeAfter: 3 }, bodyOnLastLeg: 'never' });
    expect(await firstOutput(all)).toBe(OUTPUT);
    all.double.write('stdout', 'more');
    all.double.exit(0);
    for await (const _ of all.session.output);
    expect(all.double.connections.length).toBeGreaterThan(1);
    expect(all.questions).toHaveLength(1);
    expectNothingReadable(all);
  });

  it('takes no other certificate on a later connection: tls.pin-changed', async () => {
    const all = scene();
    await firstOutput(all);
    all.front.show(peers.other);
    await expect(all.session.writeText('x')).rejects.toMatchObject({
      code: 'tls.pin-changed',
      details: { expected: await thumbprintOf(peers.p256), sha256: await thumbprintOf(peers.other) },
    });
    expect(all.double.connections.at(-1)?.requests).toEqual([]);
    expect(all.double.input).toEqual([]);
  });

  it('says shell.fate-unknown when TLS breaks under a Send', async () => {
    const all = scene({ shell: { kind: 'interactive', codePage: 65001 } });
    await firstOutput(all);
    all.double.after = ({ name }) => (name === 'Send' ? 'drop' : undefined);
    await expect(all.session.writeText('x\r\n')).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    expect(all.double.input).toHaveLength(1);
  });
});

describe('judging', () => {
  it('sends nothing but the handshake before the answer, and nothing but an alert after refuse: tls.untrusted', async () => {
    let settle: (answer: TrustAnswer) => void = () => undefined;
    const asked = Promise.withResolvers<void>();
    const ask = (): Promise<TrustAnswer> =>
      new Promise((resolve) => {
        settle = resolve;
        asked.resolve();
      });
    const all = scene({
      policy: 'basic',
      server: { standing: BASIC },
      trust: { policy: { roots: [], pins: [] }, ask },
    });
    const opening = all.session.open();
    await asked.promise;
    await settled();
    expect(all.session.state).toMatchObject({ at: 'judging', question: { host: 'peer', port: 5986 } });
    const before = all.front.pairs[0]?.written.near() ?? new Uint8Array();
    expect(recordTypes(before)).toEqual([22]);
    await all.platform.advance(3_600_000); // nobody hurries a person
    settle('refuse');
    await expect(opening).rejects.toMatchObject({ code: 'tls.untrusted', details: { sha256: expect.any(String) } });
    expect(all.session.state).toMatchObject({ at: 'closed', error: { code: 'tls.untrusted' } });
    const after = all.front.pairs[0]?.written.near() ?? new Uint8Array();
    expect(after.length - before.length).toBeLessThan(64);
    expect(all.double.connections[0]?.requests).toEqual([]);
  });

  it.each(['cancelling', 'closing'])('%s ends the wait at once: session.cancelled', async (how) => {
    const aborted = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const ask = (_: TrustQuestion, signal: AbortSignal): Promise<TrustAnswer> => {
      signal.addEventListener('abort', () => aborted.resolve(), { once: true });
      asked.resolve();
      return new Promise(() => undefined);
    };
    const all = scene({ trust: { policy: { roots: [], pins: [] }, ask } });
    const cancel = new AbortController();
    const opening = all.session.open(cancel.signal);
    await asked.promise;
    if (how === 'closing') void all.session.close();
    else cancel.abort();
    await expect(opening).rejects.toMatchObject({ code: 'session.cancelled' });
    await aborted.promise;
    expect(all.double.connections[0]?.requests).toEqual([]);
    expect(all.session.journal.entries.map(({ what }) => what)).not.toContainEqual(
      expect.objectContaining({ event: 'trust', what: 'refuse' }),
    );
  });

  it('opens the road once more when the server hung up while the person thought', async () => {
    const all = scene({
      trust: {
        policy: { roots: [], pins: [] },
        ask: async () => {
          all.front.pairs[0]?.cut();
          await settled();
          return 'trust-once';
        },
      },
    });
    expect(await firstOutput(all)).toBe(OUTPUT);
    expect(all.front.pairs).toHaveLength(2);
    expect(all.double.connections.map(({ handshakes }) => handshakes)).toEqual([0, 1]);
  });

  it('refuses without asking: tls.wrong-name, tls.expired, tls.pin-changed', async () => {
    const pinned = { sha256: await thumbprintOf(peers.other), sinceMs: 0 };
    const refusals = [
      ['tls.wrong-name', { target: parseTarget('https://another').target }, []],
      ['tls.expired', { platform: fixedPlatform({ nowMs: Date.UTC(2020, 0, 1) }) }, []],
      ['tls.pin-changed', {}, [{ ...pinned, issuer: 'CN=other' }]],
    ] as const;
    for (const [code, options, pins] of refusals) {
      const ask = (): Promise<TrustAnswer> => Promise.reject(new Error('nobody is asked'));
      const all = scene({ ...options, trust: { policy: { roots: [], pins }, ask } });
      await expect(all.session.open(), code).rejects.toMatchObject({ code, details: { issuer: 'CN=peer' } });
      expect(all.states).not.toContain('judging');
      expect(all.double.connections[0]?.requests).toEqual([]);
    }
  });

  it('refuses everybody for an application that brought no trust along: tls.untrusted', async () => {
    const { front, platform, double } = scene();
    const session = new Session({
      target: parseTarget('https://peer').target,
      policy: 'negotiate-raw',
      credential: parseCredential('CORP\\alice', PASSWORD),
      openRoad: front.openRoad,
      platform,
      shell: { kind: 'command', command: COMMAND, codePage: 65001 },
    });
    await expect(session.open()).rejects.toMatchObject({ code: 'tls.untrusted' });
    expect(double.connections[0]?.requests).toEqual([]);
  });

  it('takes anything but the two answers for a refusal: tls.untrusted', async () => {
    for (const ask of [
      () => Promise.reject(new Error('the dialog broke')),
      () => Promise.resolve('yes' as TrustAnswer),
      () => {
        throw new Error('at once');
      },
    ]) {
      const { session } = scene({ trust: { policy: { roots: [], pins: [] }, ask } });
      await expect(session.open()).rejects.toMatchObject({ code: 'tls.untrusted' });
    }
  });
});

describe('sealing inside TLS', () => {
  it('is left out unless it is asked for, and believed whichever way a reply comes', async () => {
    for (const answersIn of ['plain', 'sealed'] as const) {
      const all = scene({ server: { answersIn } });
      expect(await firstOutput(all)).toBe(OUTPUT);
      const sealed = all.session.journal.entries.flatMap(({ what }) =>
        what.event === 'exchange' ? [what.sealed] : [],
      );
      expect(new Set(sealed)).toEqual(new Set([answersIn === 'sealed']));
    }
  });

  it('with "always" seals what goes and believes nothing else: seal.plain-reply', async () => {
    const all = scene({ seal: 'always' });
    expect(await firstOutput(all)).toBe(OUTPUT);
    const bodies = all.double.connections[0]?.requests.filter(({ body }) => body.length > 0) ?? [];
    for (const { headers } of bodies) expect(headers.get('Content-Type')).toMatch(/^multipart\/encrypted/);
    const other = scene({ seal: 'always', server: { answersIn: 'plain' } });
    await expect(other.session.open()).rejects.toMatchObject({ code: 'seal.plain-reply' });
  });

  it('leaves a page in a reply’s place unbelieved: wsman.not-wsman, seal.unsupported', async () => {
    const page = scene();
    page.double.before = () => ({ status: 200, headers: ['Content-Type: text/html'], body: '<p>Welcome' });
    await expect(page.session.open()).rejects.toMatchObject({ code: 'wsman.not-wsman', details: { text: 'Welcome' } });
    const odd = scene({ policy: 'basic', server: { standing: BASIC } });
    odd.double.before = () => ({ status: 200, headers: ['Content-Type: multipart/encrypted'], body: 'x' });
    await expect(odd.session.open()).rejects.toMatchObject({ code: 'seal.unsupported' });
  });
});

describe('signing in with Basic', () => {
  it('goes with every request inside TLS, needs no leg, and is never seen on the road', async () => {
    const all = scene({ policy: 'basic', server: { standing: BASIC } });
    expect(await firstOutput(all)).toBe(OUTPUT);
    const requests = all.double.connections.flatMap((connection) => connection.requests);
    expect(requests.map(({ headers }) => headers.get('Authorization'))).toEqual(requests.map(() => BASIC));
    expect(all.session.counts).toMatchObject({ exchanges: 3, handshakes: 1 });
    expect(all.states).toContain('authenticating');
    expectNothingReadable(all);
  });

  it('tries a wrong password once, also with two lanes: auth.rejected', async () => {
    const all = scene({
      policy: 'basic',
      server: { standing: 'Basic b3RoZXI=' },
      shell: { kind: 'interactive', codePage: 65001 },
    });
    await expect(all.session.open()).rejects.toMatchObject({
      code: 'auth.rejected',
      details: { mechanism: 'Basic', stage: 'request', user: 'alice' },
    });
    expect(all.double.connections.flatMap(({ requests }) => requests)).toHaveLength(1);
  });

  it('says auth.no-common-mechanism where it is switched off', async () => {
    const all = scene({ policy: 'basic' });
    all.double.onRequest = () => ({ status: 401, headers: ['WWW-Authenticate: Negotiate'] });
    await expect(all.session.open()).rejects.toMatchObject({
      code: 'auth.no-common-mechanism',
      details: { offered: 'Negotiate', wanted: 'Basic' },
    });
  });
});

describe('signing in with a certificate', () => {
  const clientCertificate = certificateOf(peers.other);

  it('says the mutual profile on every request', async () => {
    const all = scene({ policy: 'certificate', credential: null, clientCertificate, server: { standing: MUTUAL } });
    expect(await firstOutput(all)).toBe(OUTPUT);
    expectNothingReadable(all);
  });

  it.each([401, 403])('says auth.rejected with the certificate’s subject when the answer is %i', async (status) => {
    const all = scene({ policy: 'certificate', credential: null, clientCertificate });
    all.double.onRequest = () => ({ status });
    await expect(all.session.open()).rejects.toMatchObject({
      code: 'auth.rejected',
      details: { mechanism: 'Certificate', user: 'CN=other' },
    });
  });
});

describe('what an https target refuses before anything is sent', () => {
  const http = parseTarget('peer').target;
  const clientCertificate = certificateOf(peers.other);
  it.each([
    [{ target: http, policy: 'basic' }, 'policy', 'needs-https'],
    [{ target: http, policy: 'certificate', clientCertificate }, 'policy', 'needs-https'],
    [{ policy: 'basic', seal: 'always' }, 'seal', 'cannot-seal'],
    [{ policy: 'certificate', clientCertificate, seal: 'always' }, 'seal', 'cannot-seal'],
    [{ policy: 'certificate' }, 'certificate', 'empty'],
    [{ policy: 'basic', credential: null }, 'credential', 'empty'],
    [{ credential: null }, 'credential', 'empty'],
  ] as const)('is misuse.bad-argument (case %#)', async (options, argument, reason) => {
    const all = scene(options);
    await expect(all.session.open()).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { argument, reason },
    });
    expect(all.double.connections).toEqual([]);
  });

  it('is a road whose last proxy reads the requests: misuse.bad-argument forward-needs-http', async () => {
    const all = scene({ server: { road: { form: 'absolute', hasProxy: true } } });
    await expect(all.session.open()).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { reason: 'forward-needs-http' },
    });
    expect(all.front.pairs[0]?.written.near()).toEqual(new Uint8Array(0));
  });
});

describe('the wire of an https target', () => {
  const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), records()), { maxLength: 5 });
  const options = fc.constantFrom<Partial<SessionOptions>>(
    { policy: 'basic' },
    { policy: 'negotiate' },
    { policy: 'certificate', clientCertificate: certificateOf(peers.other) },
    { policy: 'basic', shell: { kind: 'interactive', codePage: 65001 } },
  );

  it('carries a ClientHello, alerts and nothing else to a peer that is no TLS server', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, options, async (said, chosen) => {
        const pairs: ReturnType<typeof streamPair>[] = [];
        const all = scene({
          ...chosen,
          openRoad: async () => {
            const pair = streamPair();
            pairs.push(pair);
            for (const piece of said) await pair.far.write(piece);
            await pair.far.end();
            return { stream: pair.near, form: 'origin', hasProxy: false };
          },
        });
        const error = await all.session.open().catch((reason: unknown) => reason);
        expect(isWinRmError(error)).toBe(true);
        expect(pairs.length).toBeGreaterThan(0);
        for (const { written } of pairs) {
          const [first, ...others] = recordTypes(written.near());
          expect([first, ...new Set(others)].join()).toMatch(/^22(,20|,21|,22)*$/);
          expect(latin1Decode(written.near())).not.toMatch(/POST|Basic|Envelope|NTLMSSP/);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Bytes in the shape of TLS records. */
function records(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(20, 21, 22, 23, 24), fc.uint8Array({ maxLength: 100 }))
    .map(([type, body]) => Uint8Array.from([type, 3, 3, 0, body.length, ...body]));
}

describe('a sign-in that is refused behind a proxy', () => {
  it('is auth.binding-refused where the certificate was not pinned, and auth.rejected otherwise', async () => {
    const pin = { sha256: await thumbprintOf(peers.p256), issuer: 'CN=peer', sinceMs: 0 };
    const refuse = (): Promise<TrustAnswer> => Promise.resolve('refuse');
    const wrong = { credential: parseCredential('CORP\\alice', 'wrong') };
    const proxied = { server: { road: { hasProxy: true } } };
    await expect(scene({ ...wrong, ...proxied }).session.open()).rejects.toMatchObject({
      code: 'auth.binding-refused',
      details: { issuer: 'CN=peer', sha256: pin.sha256, user: 'alice' },
      cause: { code: 'auth.rejected' },
    });
    const pinned = { trust: { policy: { roots: [], pins: [pin] }, ask: refuse } };
    for (const options of [wrong, { ...wrong, ...proxied, ...pinned }]) {
      await expect(scene(options).session.open()).rejects.toMatchObject({ code: 'auth.rejected' });
    }
  });
});

describe('identify', () => {
  it('speaks inside TLS too, to a host that somebody vouches for: else tls.untrusted', async () => {
    const all = scene();
    all.double.onRequest = () => ({
      status: 200,
      headers: ['Content-Type: application/soap+xml;charset=UTF-8'],
      body:
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Body><i:IdentifyResponse>' +
        '<i:ProtocolVersion>p</i:ProtocolVersion><i:ProductVendor>v</i:ProductVendor>' +
        '<i:ProductVersion>1</i:ProductVersion></i:IdentifyResponse></s:Body></s:Envelope>',
    });
    const { target } = parseTarget('https://peer');
    const { openRoad } = all.front;
    const { platform } = all;
    const pins = [{ sha256: await thumbprintOf(peers.p256), issuer: '', sinceMs: 0 }];
    const ask = (): Promise<TrustAnswer> => Promise.resolve('refuse');
    expect(await identify({ target, openRoad, platform, trust: { policy: { roots: [], pins }, ask } })).toMatchObject({
      identity: { productVendor: 'v' },
    });
    await expect(identify({ target, openRoad, platform })).rejects.toMatchObject({ code: 'tls.untrusted' });
    expectNothingReadable(all);
  });
});
