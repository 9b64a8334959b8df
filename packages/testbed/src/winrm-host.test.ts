import { afterEach, describe, expect, test } from 'vitest';
import { utf8Encode } from '../../protocol/src/bytes/bytes.ts';
import { encodeIdentify } from '../../protocol/src/wsman/envelope.ts';
import { createShell, deleteShell, getConfig, receive, signalCommand } from '../../protocol/src/wsman/operations.ts';
import { TestClient } from './test-client.ts';
import { startWinRmHost, type WinRmHost, type WinRmHostOptions } from './winrm-host.ts';

const ALICE = { user: 'alice', domain: 'LAB', password: 'Al1ce pässword' };
const BOB = { user: 'bob', domain: 'LAB', password: 'b0b' };

const running: WinRmHost[] = [];
const clients: TestClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const host of running.splice(0)) await host.close();
});

async function start(options: WinRmHostOptions = {}): Promise<WinRmHost> {
  const host = await startWinRmHost({ accounts: [ALICE, BOB], ...options });
  running.push(host);
  return host;
}

async function signedIn(host: WinRmHost, account = ALICE): Promise<TestClient> {
  const client = await TestClient.open(host.port, `${account.domain}\\${account.user}`, account.password);
  clients.push(client);
  return client;
}

async function connected(host: WinRmHost): Promise<TestClient> {
  const client = await TestClient.connect(host.port);
  clients.push(client);
  return client;
}

describe('signing in', () => {
  test.each(['negotiate', 'negotiate-raw', 'ntlm'] as const)('%s runs a command on one connection', async (policy) => {
    const host = await start({ offers: policy === 'ntlm' ? ['NTLM'] : ['Kerberos', 'Negotiate'] });
    const client = await connected(host);
    await client.signIn('LAB\\alice', ALICE.password, policy);
    expect(await client.run('echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
    });
    const operations = expect.arrayContaining(['Create', 'Command', 'Receive']);
    const summary = { handshakeCount: 1, refusalCount: 0, user: 'LAB\\alice', isOpen: true, operations };
    expect(host.journal.connections()).toMatchObject([summary]);
  });

  test.each(['alice', '.\\alice', 'lab\\ALICE', 'alice@lab'])('%s is the same account', async (name) => {
    const host = await start();
    const client = await connected(host);
    await client.signIn(name, ALICE.password);
    expect(await client.run('echo in')).toMatchObject({ stdout: 'in\n' });
  });

  test.each([
    ['a wrong password', 'LAB\\alice', 'Al1ce passwort'],
    ['an empty password', 'LAB\\alice', ''],
    ['an unknown user', 'LAB\\carol', ALICE.password],
    ['another domain', 'OTHER\\alice', ALICE.password],
  ])('%s is refused', async (_what, user, password) => {
    const host = await start();
    const client = await connected(host);
    await expect(client.signIn(user, password)).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(host.journal.connections()).toMatchObject([{ handshakeCount: 0, refusalCount: 1, user: '' }]);
  });

  test('an account needs a password', async () => {
    const host = await start();
    expect(() => host.addAccount({ user: 'x', domain: 'LAB', password: '' })).toThrow(RangeError);
  });

  test('an account added later gets in, with the newest password only, and a removed one does not', async () => {
    const host = await start();
    host.addAccount({ ...ALICE, password: 'new' });
    await expect((await connected(host)).signIn('LAB\\alice', ALICE.password)).rejects.toMatchObject({
      code: 'auth.rejected',
    });
    await (await connected(host)).signIn('LAB\\alice', 'new');
    host.removeAccount('ALICE', 'lab');
    await expect((await connected(host)).signIn('LAB\\alice', 'new')).rejects.toMatchObject({ code: 'auth.rejected' });
  });

  test('a guesser needs a new connection after five failures', async () => {
    const host = await start();
    const client = await connected(host);
    for (let i = 0; i < 5; i++) {
      const reply = await client.raw(utf8Encode(''), [['Authorization', 'Negotiate AAAA']]);
      expect(reply.status).toBe(401);
      expect(reply.keepsConnection).toBe(i < 4);
    }
  });

  test('the password is found nowhere in the journal', async () => {
    const host = await start();
    await (await signedIn(host)).run('echo secret words');
    const text = JSON.stringify(host.journal.entries);
    expect(text).not.toContain(ALICE.password);
    expect(text).not.toContain('secret words');
  });
});

describe('sealing', () => {
  test('a plain envelope is answered with 500 and nothing else', async () => {
    const client = await signedIn(await start());
    const reply = await client.raw(utf8Encode(encodeIdentify()), [['Content-Type', 'application/soap+xml']]);
    expect(reply).toMatchObject({ status: 500, body: utf8Encode('') });
  });

  test('a plain envelope without a signed-in connection is challenged', async () => {
    const client = await connected(await start());
    const reply = await client.raw(utf8Encode(encodeIdentify()), [['Content-Type', 'application/soap+xml']]);
    expect(reply.status).toBe(401);
    expect(reply.headers.getAll('www-authenticate')).toEqual(['Negotiate']);
  });

  test('a seal that does not verify is answered with 400 and ends the connection', async () => {
    const host = await start();
    const [one, two] = [await signedIn(host), await signedIn(host)];
    await one.sealed(encodeIdentify());
    const type =
      'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"';
    const junk =
      '--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\nOriginalContent: type=application/soap+xml;charset=UTF-8;Length=1\r\n--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n\x10\0\0\0sixteen bytes!!!x--Encrypted Boundary--\r\n';
    expect(await two.raw(utf8Encode(junk), [['Content-Type', type]])).toMatchObject({
      status: 400,
      keepsConnection: false,
    });
    expect(host.journal.entries).toContainEqual(expect.objectContaining({ note: 'seal.bad-signature' }));
    expect(await one.sealed(encodeIdentify())).toMatchObject({ status: 200 });
  });

  test('keys of one connection open nothing on another', async () => {
    const host = await start();
    const stranger = await connected(host);
    await signedIn(host);
    const reply = await stranger.raw(utf8Encode('x'), [['Content-Type', 'multipart/encrypted;boundary="B"']]);
    expect(reply.status).toBe(401);
  });
});

describe('what anybody may ask', () => {
  test('Identify without credentials tells no version, with them it does', async () => {
    const host = await start();
    const client = await connected(host);
    const reply = await client.raw(utf8Encode(encodeIdentify()), [['WSMANIDENTIFY', 'unauthenticated']]);
    expect(Buffer.from(reply.body).toString()).toContain('OS: 0.0.0');
    expect((await (await signedIn(host)).sealed(encodeIdentify())).text).toContain('OS: Linux');
  });

  test('WSMANIDENTIFY opens nothing but Identify', async () => {
    const client = await connected(await start());
    const reply = await client.raw(utf8Encode('<x/>'), [['WSMANIDENTIFY', 'unauthenticated']]);
    expect(reply.status).toBe(401);
  });

  test('a body beyond all measure is 413', async () => {
    const client = await connected(await start({ limits: { maxEnvelopeBytes: 8192 } }));
    expect((await client.raw(new Uint8Array(100_000))).status).toBe(413);
  });

  test('the configuration names the envelope size', async () => {
    const client = await signedIn(await start({ limits: { maxEnvelopeBytes: 200 * 1024 } }));
    expect(await client.ask(getConfig())).toEqual({ maxEnvelopeBytes: 200 * 1024, allowUnencrypted: false });
  });
});

describe('quotas and faults', () => {
  test('one shell too many is fault 2150859173, until one is deleted', async () => {
    const client = await signedIn(await start({ limits: { maxShellsPerUser: 1 } }));
    const shell = await client.openShell();
    const details = { code: '2150859173', quota: 'shells' };
    await expect(client.openShell()).rejects.toMatchObject({ code: 'wsman.quota', details });
    await client.ask(deleteShell(shell));
    await client.openShell();
  });

  test('one command too many is fault 2150859174, until one is terminated', async () => {
    const client = await signedIn(await start({ limits: { maxCommandsPerShell: 1 } }));
    const shell = await client.openShell();
    const command = await client.start(shell, 'true');
    const details = { code: '2150859174', quota: 'operations' };
    await expect(client.start(shell, 'true')).rejects.toMatchObject({ code: 'wsman.quota', details });
    await client.ask(signalCommand(shell, command, 'terminate'));
    await client.start(shell, 'true');
  });

  test('one operation too many at once is fault 2150859174', async () => {
    const host = await start({ limits: { maxOperationsPerUser: 1 } });
    const [one, two] = [await signedIn(host), await signedIn(host)];
    const shell = await one.openShell();
    const command = await one.start(shell, 'read line; echo "$line"');
    const waiting = one.finish(shell, command);
    await expect.poll(() => two.openShell().catch((error: unknown) => error)).toMatchObject({ code: 'wsman.quota' });
    host.closeShells();
    await expect(waiting).rejects.toMatchObject({ code: 'wsman.fault', details: { code: '995' } });
  });

  test('a silent command lets Receive end with fault 2150858793', async () => {
    const client = await signedIn(await start());
    const shell = await client.openShell();
    const command = await client.start(shell, 'sleep 100');
    await expect(client.ask(receive(shell, command), 0.05)).rejects.toMatchObject({ code: 'wsman.timed-out' });
  });

  test('a shell that was closed, never was, or is somebody else’s is fault 2150858843', async () => {
    const host = await start();
    const client = await signedIn(host);
    const shell = await client.openShell();
    const gone = { code: 'wsman.shell-gone', details: { code: '2150858843' } };
    await expect((await signedIn(host, BOB)).start(shell, 'true')).rejects.toMatchObject(gone);
    await expect(client.start('NO-SUCH-SHELL', 'true')).rejects.toMatchObject(gone);
    await expect(client.ask(receive(shell, 'NO-SUCH-COMMAND'))).rejects.toMatchObject(gone);
    expect(host.closeShells()).toBe(1);
    await expect(client.start(shell, 'true')).rejects.toMatchObject(gone);
  });

  test('an envelope over the limit is fault 2150858790', async () => {
    const client = await signedIn(await start({ limits: { maxEnvelopeBytes: 8192 } }));
    const shell = await client.openShell();
    await expect(client.start(shell, `: ${'x'.repeat(8192)}`)).rejects.toMatchObject({
      details: { bytes: expect.any(Number) },
      code: 'wsman.envelope-too-large',
    });
  });

  test('who is no administrator gets fault 5', async () => {
    const host = await start();
    host.addAccount({ ...BOB, isAdministrator: false });
    const client = await signedIn(host, BOB);
    await expect(client.openShell()).rejects.toMatchObject({ code: 'wsman.access-denied', details: { code: '5' } });
    await expect(client.ask(getConfig())).rejects.toMatchObject({ code: 'wsman.access-denied' });
  });

  test('an unknown resource, action or directory is a fault of its own', async () => {
    const client = await signedIn(await start());
    const create = createShell({
      codePage: 65001,
      noProfile: true,
      workingDirectory: '/no/such',
      environment: {},
      idleTimeoutSeconds: 60,
    });
    await expect(client.ask(create)).rejects.toMatchObject({ details: { code: '267' } });
    await expect(client.ask({ ...create, resourceUri: 'http://x' })).rejects.toMatchObject({
      details: { code: '2150858811' },
    });
    await expect(client.ask({ ...create, action: 'http://x/Put' })).rejects.toMatchObject({
      details: { code: '2150858771' },
    });
    expect(await client.sealed('<not-soap/>')).toMatchObject({
      status: 500,
      text: expect.stringContaining('2150858817'),
    });
  });

  test('a shell that nobody uses is closed', async () => {
    const host = await start({ limits: { minShellIdleTimeoutMs: 20, shellIdleTimeoutMs: 20 } });
    await (await signedIn(host)).openShell();
    await expect.poll(() => host.shellCount).toBe(0);
    expect(host.journal.entries).toContainEqual(expect.objectContaining({ what: 'closed', reason: 'idle' }));
  });
});

describe('connections', () => {
  test('each is closed after so many requests, and says so', async () => {
    const host = await start({ closeAfterRequests: 3 });
    const client = await signedIn(host);
    expect(client.isUsable).toBe(true);
    await client.openShell();
    expect(client.isUsable).toBe(false);
    expect(host.shellCount).toBe(1);
  });

  test('an idle one is closed, one that waits for output is not', async () => {
    const host = await start({ idleTimeoutMs: 150 });
    const client = await signedIn(host);
    const shell = await client.openShell();
    const command = await client.start(shell, 'sleep 1; echo late');
    expect(await client.finish(shell, command)).toMatchObject({ stdout: 'late\n' });
    await expect.poll(() => client.isUsable).toBe(false);
    expect(host.journal.connections()).toMatchObject([{ isOpen: false }]);
  });

  test('a shell outlives its connection', async () => {
    const host = await start();
    const client = await signedIn(host);
    const shell = await client.openShell();
    const command = await client.start(shell, 'read line; echo "$line"');
    expect(host.killConnections()).toBe(1);
    const again = await signedIn(host);
    await again.type(shell, command, 'still here\n');
    expect(await again.finish(shell, command)).toMatchObject({ stdout: 'still here\n' });
  });

  test('a Receive whose connection died takes no output with it, and a later one takes its place', async () => {
    const host = await start();
    const [one, two, three] = [await signedIn(host), await signedIn(host), await signedIn(host)];
    const shell = await one.openShell();
    const command = await one.start(shell, 'read line; echo "$line"');
    const first = one.finish(shell, command);
    await expect.poll(() => host.journal.connections()[0]?.operations).toHaveLength(2);
    const second = two.finish(shell, command);
    await expect(first).rejects.toMatchObject({ details: { code: '995' } });
    two.close();
    await expect(second).rejects.toMatchObject({ code: expect.any(String) });
    await three.type(shell, command, 'kept\n');
    expect(await three.finish(shell, command)).toMatchObject({ stdout: 'kept\n' });
  });

  test('a host that stopped answering answers later', async () => {
    const host = await start();
    const client = await signedIn(host);
    host.stopAnswering();
    const shell = client.openShell();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(host.shellCount).toBe(0);
    host.resumeAnswering();
    expect(await shell).toMatch(/^[0-9A-F-]{36}$/);
  });

  test('a host that ignores bare requests answers those with a token', async () => {
    const host = await start({ ignoresBareRequests: true });
    expect(await (await signedIn(host)).run('echo x')).toMatchObject({ stdout: 'x\n' });
    const bare = (await connected(host)).raw(utf8Encode(''));
    await expect.poll(() => host.journal.entries.at(-1)).toMatchObject({ event: 'request', status: 0 });
    host.killConnections();
    await expect(bare).rejects.toMatchObject({ code: 'http.closed-early' });
  });
});

describe('misbehaviour on order', () => {
  test.each([
    ['bad-signature', { code: 'seal.bad-signature' }],
    ['cut-before-operation', { code: 'http.closed-early' }],
    ['cut-before-reply', { code: 'http.closed-early' }],
    ['cut-in-reply', { code: 'http.closed-early' }],
    [{ faultCode: 1331 }, { code: 'wsman.access-denied' }],
  ] as const)('%j', async (what, error) => {
    const host = await start();
    const client = await signedIn(host);
    host.misbehaveNext(what, 'Create');
    await expect(client.openShell()).rejects.toMatchObject(error);
    expect(host.shellCount).toBe(what === 'cut-before-operation' || typeof what === 'object' ? 0 : 1);
  });

  test('plain-reply is readable by everybody, once', async () => {
    const host = await start();
    const client = await signedIn(host);
    host.misbehaveNext('plain-reply');
    expect((await client.sealed(encodeIdentify())).contentType).toBe('application/soap+xml;charset=UTF-8');
    expect((await client.sealed(encodeIdentify())).contentType).toMatch(/^multipart\/encrypted/);
  });

  test('wrong-relates-to answers another message', async () => {
    const host = await start();
    const client = await signedIn(host);
    host.misbehaveNext('wrong-relates-to');
    await client.openShell(); // this client does not look
    expect(host.shellCount).toBe(1);
  });

  test('silence leaves the connection open', async () => {
    const host = await start();
    const client = await signedIn(host);
    host.misbehaveNext('silence');
    const shell = client.openShell();
    await expect.poll(() => host.journal.entries.at(-1)).toMatchObject({ event: 'request', status: 0 });
    expect(host.journal.connections()).toMatchObject([{ isOpen: true }]);
    host.killConnections('reset');
    await expect(shell).rejects.toMatchObject({ code: expect.any(String) });
  });
});
