import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { utf8Encode } from '../../protocol/src/bytes/bytes.ts';
import { encodeIdentify } from '../../protocol/src/wsman/envelope.ts';
import { makeCertificate, type TlsIdentity, thumbprintsOf } from './certificate.ts';
import { checkBinding } from './channel-binding.ts';
import type { HttpsOptions } from './listener.ts';
import { MUTUAL_PROFILE } from './logon.ts';
import { TestClient, type TestTls } from './test-client.ts';
import { startWinRmHost, type WinRmHost, type WinRmHostOptions } from './winrm-host.ts';

const ALICE = { user: 'alice', domain: 'LAB', password: 'Al1ce pässword' };
const ALICES = makeCertificate({ commonName: 'alice', usage: 'client', userPrincipalName: 'alice@localhost' });

const folder = mkdtempSync(join(tmpdir(), 'fairlead-https-'));
const running: WinRmHost[] = [];
const clients: TestClient[] = [];

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const host of running.splice(0)) await host.close();
});

async function start(https: HttpsOptions = {}, options: WinRmHostOptions = {}): Promise<WinRmHost> {
  const host = await startWinRmHost({ accounts: [ALICE], https, ...options });
  running.push(host);
  return host;
}

async function connected(host: WinRmHost, tls?: TestTls): Promise<TestClient> {
  const client = await TestClient.connectSecurely(host.https?.port ?? 0, tls);
  clients.push(client);
  return client;
}

function basic(name: string, password: string, encoding: BufferEncoding = 'utf8'): string {
  return `Basic ${Buffer.from(`${name}:${password}`, encoding).toString('base64')}`;
}

/** What Debian's openssl says of a handshake, complaints included. */
function openssl(host: WinRmHost, ...words: string[]): Promise<string> {
  return new Promise((resolve) => {
    const all = ['s_client', '-connect', `127.0.0.1:${host.https?.port}`, ...words];
    const child = execFile('openssl', all, (_error, stdout, stderr) => resolve(stdout + stderr));
    child.stdin?.end();
  });
}

describe('the listener with TLS', () => {
  test('stands beside the one without, and the journal tells version and suite', async () => {
    const host = await start();
    const client = await connected(host);
    await client.signIn('LAB\\alice', ALICE.password);
    expect(await client.run('echo inside')).toMatchObject({ stdout: 'inside\n' });
    const plain = await TestClient.open(host.port, 'LAB\\alice', ALICE.password);
    clients.push(plain);
    const tls = { version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' };
    expect(host.journal.connections()).toMatchObject([
      { tls, handshakeCount: 1 },
      { tls: null, handshakeCount: 1 },
    ]);
    expect(await openssl(host, '-tls1_2')).toContain('ECDHE-ECDSA-AES256-GCM-SHA384');
  });

  test('an old server speaks TLS 1.2 with CBC suites and MAC-then-encrypt, and nothing newer', async () => {
    const host = await start({ profile: 'old-server' });
    expect(await openssl(host)).toMatch(/TLSv1\.2, Cipher is ECDHE-RSA-AES256-SHA384/);
    expect(await openssl(host)).not.toContain('Encrypt-then-MAC: yes');
    expect(await openssl(host, '-cipher', 'ECDHE-RSA-AES128-SHA256')).toContain('Cipher is ECDHE-RSA-AES128-SHA256');
    expect(await openssl(host, '-cipher', 'ECDHE-RSA-AES256-SHA')).toContain('Cipher is ECDHE-RSA-AES256-SHA');
    expect(await openssl(host, '-tls1_3')).toContain('alert protocol version');
    expect(await openssl(host, '-cipher', 'ECDHE-RSA-AES256-GCM-SHA384')).toContain('handshake failure');
    const failures = host.journal.entries.flatMap((entry) => (entry.event === 'tls' ? [entry.failure] : []));
    expect(failures).toContain('ERR_SSL_UNSUPPORTED_PROTOCOL');
    expect(failures).toContain('ERR_SSL_NO_SHARED_CIPHER');
    const { certificate, key } = makeCertificate({ commonName: 'ec' });
    await expect(start({ profile: 'old-server', certificate, key })).rejects.toThrow('an RSA certificate');
  });

  test('shows the certificate it was given, and another one when told to; open connections stay', async () => {
    const [first, second] = [named('first'), named('second')];
    const host = await start({ ...first, cbt: 'strict' });
    const client = await connected(host);
    expect(host.https?.thumbprints).toEqual(thumbprintsOf(first.certificate));
    host.replaceCertificate(second);
    await client.signIn('LAB\\alice', ALICE.password);
    const later = await connected(host);
    expect(later.certificate?.subject).toBe('CN=second');
    expect(host.https?.thumbprints).toEqual(thumbprintsOf(second.certificate));
    await later.signIn('LAB\\alice', ALICE.password);
    await expect(start({ certificate: first.certificate })).rejects.toThrow('needs its key');
    const plain = await startWinRmHost();
    running.push(plain);
    expect(() => plain.replaceCertificate(first)).toThrow(RangeError);
  });

  test('a client that does not speak TLS is noted and dropped', async () => {
    const host = await start();
    const socket = connectTcp(host.https?.port ?? 0, '127.0.0.1');
    socket.end('POST /wsman HTTP/1.1\r\n\r\n');
    socket.resume().on('error', () => undefined);
    await expect.poll(() => host.journal.connections()).toMatchObject([{ isOpen: false, tls: null }]);
    expect(host.journal.entries).toContainEqual(expect.objectContaining({ failure: 'ERR_SSL_HTTP_REQUEST' }));
  });

  test.each(['finish', 'reset'] as const)('its connections are killed too: %s', async (how) => {
    const host = await start();
    const client = await connected(host);
    await client.signIn('LAB\\alice', ALICE.password);
    expect(host.killConnections(how)).toBe(1);
    await expect.poll(() => client.isUsable).toBe(false);
    await expect.poll(() => host.journal.connections()).toMatchObject([{ isOpen: false }]);
  });

  test('an idle one is closed', async () => {
    const host = await start({}, { idleTimeoutMs: 100 });
    const client = await connected(host);
    await expect.poll(() => client.isUsable).toBe(false);
  });

  test('a port that is taken is told, and the other listener does not stay', async () => {
    const host = await start();
    await expect(start({ port: host.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('channel binding', () => {
  const rejected = { code: 'auth.rejected' };
  test.each([
    ['none', 'right', null],
    ['none', 'wrong', null],
    ['none', 'none', null],
    ['relaxed', 'right', null],
    ['relaxed', 'none', null],
    ['relaxed', 'wrong', 'wrong channel binding'],
    ['strict', 'right', null],
    ['strict', 'none', 'the channel binding is missing'],
    ['strict', 'wrong', 'wrong channel binding'],
  ] as const)('%s, and the binding is %s: %s', async (cbt, binding, reason) => {
    const host = await start({ cbt });
    for (const policy of ['negotiate', 'negotiate-raw'] as const) {
      const client = await connected(host, { binding });
      const signingIn = client.signIn('LAB\\alice', ALICE.password, policy);
      if (reason === null) await signingIn;
      else await expect(signingIn).rejects.toMatchObject(rejected);
      expect(host.journal.entries.findLast((entry) => entry.event === 'leg')).toMatchObject({
        outcome: reason === null ? 'accepted' : 'refused',
        reason: reason ?? '',
      });
    }
  });

  test('all zero says the same as none', () => {
    const hash = new Uint8Array(16).fill(1);
    expect(() => checkBinding({ hardening: 'relaxed', hash }, new Uint8Array(16))).not.toThrow();
    expect(() => checkBinding({ hardening: 'strict', hash }, new Uint8Array(16))).toThrow('missing');
    expect(() => checkBinding({ hardening: 'relaxed', hash }, hash.subarray(1))).toThrow('wrong');
  });

  test('without TLS there is nothing to bind to, strict or not', async () => {
    const host = await start({ cbt: 'strict' });
    clients.push(await TestClient.open(host.port, 'LAB\\alice', ALICE.password));
  });
});

describe('envelopes inside TLS', () => {
  test('may be plain once the connection is signed in, and are then answered plain', async () => {
    const host = await start();
    const client = await connected(host);
    expect(await client.plain(encodeIdentify())).toMatchObject({ status: 401 });
    await client.signIn('LAB\\alice', ALICE.password);
    client.speakPlainly();
    expect(await client.run('echo plain')).toMatchObject({ stdout: 'plain\n' });
    const sealed = await client.sealed(encodeIdentify());
    expect(sealed).toMatchObject({ status: 200, contentType: expect.stringMatching(/^multipart\/encrypted/) });
    const seen = host.journal.entries.flatMap((entry) =>
      entry.event === 'request' && entry.operation !== '' ? [entry.isSealed] : [],
    );
    expect(new Set(seen.slice(0, -1))).toEqual(new Set([false]));
    expect(seen.at(-1)).toBe(true);
  });
});

describe('Basic', () => {
  test('comes with every request, in UTF-8 or Latin-1, and signs in no connection', async () => {
    const host = await start();
    const client = await connected(host);
    for (const encoding of ['utf8', 'latin1'] as const) {
      client.speakPlainly(basic('LAB\\alice', ALICE.password, encoding));
      expect(await client.run('echo basic')).toMatchObject({ stdout: 'basic\n' });
    }
    client.speakPlainly();
    expect(await client.plain(encodeIdentify())).toMatchObject({ status: 401 });
    expect(host.journal.connections()).toMatchObject([{ handshakeCount: 1, refusalCount: 0, user: 'LAB\\alice' }]);
    expect(JSON.stringify(host.journal.entries)).not.toContain(ALICE.password);
  });

  test.each([
    ['a wrong password', basic('alice', 'x')],
    ['an unknown user', basic('carol', ALICE.password)],
    ['no colon', `Basic ${Buffer.from('alice').toString('base64')}`],
    ['no base64', 'Basic a:b'],
    ['nothing', 'Basic'],
    ['far too much', `Basic ${'A'.repeat(5000)}`],
  ])('%s is refused', async (_what, authorization) => {
    const client = await connected(await start());
    const reply = await client.raw(utf8Encode(''), [['Authorization', authorization]]);
    expect(reply.status).toBe(401);
    expect(reply.headers.getAll('www-authenticate')).toEqual(['Negotiate', 'Basic realm="WSMAN"']);
  });

  test('takes the place of who signed in before', async () => {
    const client = await connected(await start());
    await client.signIn('LAB\\alice', ALICE.password);
    const refused = await client.raw(utf8Encode(''), [['Authorization', basic('alice', 'x')]]);
    expect(refused.status).toBe(401);
    client.speakPlainly();
    expect(await client.plain(encodeIdentify())).toMatchObject({ status: 401 });
  });

  test('opens no seal: there are no keys', async () => {
    const client = await connected(await start());
    const headers = [['Authorization', basic('alice', ALICE.password)] as const];
    const type = ['Content-Type', 'multipart/encrypted;boundary="B"'] as const;
    expect(await client.raw(utf8Encode('x'), [...headers, type])).toMatchObject({ status: 400 });
  });

  test('is refused without TLS even when it is offered, and with TLS when it is not', async () => {
    const host = await start({ offers: ['Negotiate'] }, { offers: ['Basic realm="WSMAN"'] });
    const authorization = ['Authorization', basic('alice', ALICE.password)] as const;
    const plain = await TestClient.connect(host.port);
    clients.push(plain);
    expect(await plain.raw(utf8Encode(''), [authorization])).toMatchObject({ status: 401 });
    expect(await (await connected(host)).raw(utf8Encode(''), [authorization])).toMatchObject({ status: 401 });
    const reasons = host.journal.entries.flatMap((entry) => (entry.event === 'leg' ? [entry.reason] : []));
    expect(reasons).toEqual(['a password in the clear', 'a scheme that was not offered']);
  });
});

describe('logging on with a certificate', () => {
  const mapped = { accounts: [{ ...ALICE, certificates: [thumbprintsOf(ALICES.certificate).sha256.toLowerCase()] }] };
  const MUTUAL = ['Authorization', MUTUAL_PROFILE] as const;

  async function status(client: TestClient): Promise<number> {
    return (await client.raw(utf8Encode(''), [MUTUAL])).status;
  }

  test.each([
    ['request', 'TLSv1.3'],
    ['request', 'TLSv1.2'],
    ['require', 'TLSv1.3'],
    ['renegotiate', 'TLSv1.2'],
  ] as const)('%s, %s: runs a command as the account it is mapped to', async (clientCertificate, maxVersion) => {
    const host = await start({ clientCertificate, clientAuthorities: [ALICES.certificate] }, mapped);
    const client = await connected(host, { identity: ALICES, options: { maxVersion } });
    client.speakPlainly(MUTUAL_PROFILE);
    expect(await client.run('echo certified')).toMatchObject({ stdout: 'certified\n' });
    expect(host.journal.connections()).toMatchObject([
      { handshakeCount: 1, user: 'LAB\\alice', tls: { version: maxVersion } },
    ]);
    client.speakPlainly();
    expect(await client.plain(encodeIdentify())).toMatchObject({ status: 401 });
  });

  test('who shows none is 403, whoever is not mapped, is late or is a server is 401', async () => {
    const host = await start({ clientCertificate: 'request' }, mapped);
    expect(await status(await connected(host))).toBe(403);
    const stranger = makeCertificate({ commonName: 'alice', usage: 'client' });
    const late = makeCertificate({ commonName: 'alice', usage: 'client', validUntilMs: Date.now() - 1000 });
    for (const identity of [stranger, late, named('server')])
      expect(await status(await connected(host, { identity }))).toBe(401);
    const reasons = host.journal.entries.flatMap((entry) => (entry.event === 'leg' ? [entry.reason] : []));
    expect(reasons).toEqual([
      'no certificate',
      'a certificate that is mapped to nobody',
      'a certificate that is not valid now',
      'a certificate that is not for clients',
    ]);
  });

  test('a listener that does not do it refuses with 401', async () => {
    expect(await status(await connected(await start({}, mapped), { identity: ALICES }))).toBe(401);
  });

  test('a listener that requires one lets no other client in', async () => {
    const host = await start({ clientCertificate: 'require', clientAuthorities: [ALICES.certificate] }, mapped);
    expect(await openssl(host, '-tls1_2')).toContain('handshake failure');
    const stranger = { identity: named('stranger'), options: { maxVersion: 'TLSv1.2' } } as const;
    await expect(connected(host, stranger)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('asking late: TLS 1.2 renegotiates, once for all requests', async () => {
    const host = await start({ clientCertificate: 'renegotiate' }, mapped);
    const files = ['certificate', 'key'].map((name) => join(folder, `${name}.pem`)) as [string, string];
    writeFileSync(files[0], ALICES.certificate);
    writeFileSync(files[1], ALICES.key);
    const request = (last: string): string =>
      `POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: ${MUTUAL_PROFILE}\r\n${last}Content-Length: 0\r\n\r\n`;
    const child = execFile('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${host.https?.port}`, '-tls1_2', '-quiet', '-ign_eof'],
      ...['-cert', files[0], '-key', files[1]],
    ]);
    let said = '';
    child.stdout?.on('data', (text: string) => {
      said += text;
    });
    child.stdin?.write(request(''));
    await expect.poll(() => said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    child.stdin?.write(request('Connection: close\r\n'));
    await once(child, 'close');
    expect(said.match(/200 OK/g)).toHaveLength(2);
    expect(host.journal.connections()).toMatchObject([{ handshakeCount: 1, refusalCount: 0, user: 'LAB\\alice' }]);
  });

  test('asking late: without a certificate 403; TLS 1.3 is cut, as Windows cuts it', async () => {
    const host = await start({ clientCertificate: 'renegotiate' }, mapped);
    expect(await status(await connected(host, { options: { maxVersion: 'TLSv1.2' } }))).toBe(403);
    await expect(status(await connected(host, { identity: ALICES }))).rejects.toMatchObject({
      code: 'http.closed-early',
    });
  });

  test('a resumed session of TLS 1.3 is 503', async () => {
    const host = await start({ clientCertificate: 'request' }, mapped);
    const first = await connected(host, { identity: ALICES });
    const session = new Promise<Buffer>((resolve) => first.tls?.once('session', resolve));
    expect(await status(first)).toBe(200);
    const again = await connected(host, { identity: ALICES, options: { session: await session } });
    expect(again.tls?.isSessionReused()).toBe(true);
    expect(await status(again)).toBe(503);
  });
});

function named(commonName: string): TlsIdentity {
  return makeCertificate({ commonName });
}
