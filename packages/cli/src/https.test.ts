import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  type HttpsOptions,
  makeCertificate,
  startConnectProxy,
  startWinRmHost,
  type TlsIdentity,
  thumbprintsOf,
  type WinRmHost,
} from '../../testbed/src/index.ts';
import { catchWritten } from '../../testbed/src/written.ts';
import { run } from './run.ts';

const PASSWORD = 'Correct-horse-9';
const folder = mkdtempSync(join(tmpdir(), 'fairlead-https-'));
const hosts: WinRmHost[] = [];
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLIENT = makeCertificate({ commonName: 'ana', userPrincipalName: 'ana@localhost', usage: 'client' });

async function startHost(https: HttpsOptions = {}): Promise<{ host: WinRmHost; target: string; pin: string }> {
  const host = await startWinRmHost({
    accounts: [
      { user: 'ana', domain: 'CORP', password: PASSWORD, certificates: [thumbprintsOf(CLIENT.certificate).sha256] },
    ],
    https,
  });
  hosts.push(host);
  return { host, target: `https://localhost:${host.https?.port}`, pin: host.https?.thumbprints.sha256 ?? '' };
}

async function fairlead(
  words: readonly string[],
  environment: Record<string, string> = {},
  answer: string | null = null,
): Promise<{ code: number; stdout: string; stderr: string; questions: string[] }> {
  const { written, stdout, stderr } = catchWritten();
  const questions: string[] = [];
  const code = await run(words, {
    stdin: Readable.from([Buffer.from('typed\n')]),
    stdout,
    stderr,
    environment: { FAIRLEAD_PASSWORD: PASSWORD, ...environment },
    askSecret: (question) => {
      questions.push(question);
      return Promise.resolve(answer);
    },
    onInterrupt: () => () => undefined,
  });
  return { code, ...written, questions };
}

function fileOf(name: string, text: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const exec = (target: string, ...options: string[]): string[] => [
  ...['exec', '-t', target, '-u', 'CORP\\ana', ...options],
  ...['--', 'cat; printf err >&2; exit 3'],
];
const byCertificate = (target: string, ...options: string[]): string[] => [
  ...['exec', '-t', target, '--auth', 'certificate', ...options],
  ...['--', 'cat; printf err >&2; exit 3'],
];
const DONE = { code: 3, stdout: 'typed\n', stderr: 'err' };

/** Whether a session met the channel binding that its connection has. */
const bindings = (host: WinRmHost): unknown => host.journal.entries.filter(({ event }) => event === 'leg');

describe('fairlead over https', () => {
  it.each(['none', 'relaxed', 'strict'] as const)('signs in where channel binding is %s', async (cbt) => {
    const { host, target, pin } = await startHost({ cbt });
    for (const options of [[], ['--seal', 'always'], ['--auth', 'negotiate-raw'], ['--auth', 'basic']]) {
      expect(await fairlead(exec(target, '--pin', pin, ...options)), options.join(' ')).toMatchObject(DONE);
    }
    expect(JSON.stringify(bindings(host))).not.toContain('"outcome":"refused"');
  });

  it('signs in to a host that has only suites with SHA-1 with --legacy-tls and no other way: tls.no-common-suite', async () => {
    const { certificate, key } = makeCertificate({ commonName: 'old', names: ['localhost'], keyType: 'RSA-2048' });
    const { target, pin } = await startHost({ profile: 'sha1-server', certificate, key });
    expect(await fairlead(exec(target, '--pin', pin, '--legacy-tls'))).toMatchObject(DONE);
    const { code, stderr } = await fairlead(exec(target, '--pin', pin));
    expect({ code, stderr }).toMatchObject({ code: 69, stderr: expect.stringContaining('tls.no-common-suite') });
  });

  it('signs in to a host like Windows Server 2012 R2 without it, by its suites with SHA-2', async () => {
    const { certificate, key } = makeCertificate({ commonName: 'old', names: ['localhost'], keyType: 'RSA-2048' });
    const { target, pin } = await startHost({ profile: 'old-server', certificate, key });
    expect(await fairlead(exec(target, '--pin', pin))).toMatchObject(DONE);
  });

  it('refuses a host nobody vouches for with all a person needs to judge it: tls.untrusted, exit code 68', async () => {
    const { host, target, pin } = await startHost();
    const { code, stdout, stderr } = await fairlead(exec(target, '--auth', 'basic'));
    expect([code, stdout]).toEqual([68, '']);
    const { sha1 } = host.https?.thumbprints ?? {};
    for (const fact of [
      'subject: CN=',
      'issuer: CN=',
      'names: localhost',
      'notBefore: 2',
      'notAfter: 2',
      `sha1: ${sha1}`,
    ]) {
      expect(stderr).toContain(fact);
    }
    expect(stderr).toContain(`--pin ${pin}`);
    expect(stderr).toContain('[tls.untrusted]');
    expect(stderr).not.toContain(PASSWORD);
    expect(host.journal.entries.some(({ event }) => event === 'leg')).toBe(false);
  });

  it('gives no such advice for a certificate in the place of a pinned one: tls.pin-changed', async () => {
    const { target } = await startHost();
    const { code, stderr } = await fairlead(exec(target, '--pin', 'A'.repeat(64)));
    expect(code).toBe(68);
    expect(stderr).toContain('[tls.pin-changed]');
    expect(stderr).not.toContain('--pin');
  });

  it('trusts what a file of --ca vouches for, by its name: else tls.wrong-name', async () => {
    const { host, target } = await startHost();
    const ca = fileOf('ca.pem', host.https?.certificate ?? '');
    expect(await fairlead(exec(target, '--ca', ca))).toMatchObject(DONE);
    const { certificate, key } = makeCertificate({ commonName: 'elsewhere', names: ['elsewhere.corp'] });
    host.replaceCertificate({ certificate, key });
    const other = await fairlead(exec(target, '--ca', fileOf('other.pem', certificate)));
    expect([other.code, other.stderr]).toEqual([68, expect.stringContaining('[tls.wrong-name]')]);
    expect(other.stderr).toContain('--pin ');
  });

  it.each(['request', 'require', 'renegotiate'] as const)(
    'logs on with a certificate where the host wants it by %s',
    async (clientCertificate) => {
      const { host, target, pin } = await startHost({ clientCertificate, clientAuthorities: [CLIENT.certificate] });
      const pem = fileOf('ana.pem', CLIENT.certificate + CLIENT.key);
      const ended = await fairlead(byCertificate(target, '--pin', pin, '--cert', pem));
      expect(ended).toMatchObject(DONE);
      expect(JSON.stringify(bindings(host))).toContain('"scheme":"Certificate"');
    },
  );

  it('opens a PKCS#12 file with FAIRLEAD_CERT_PASSWORD or asks: tls.client-certificate-password, exit code 67', async () => {
    const { target, pin } = await startHost({ clientCertificate: 'request', clientAuthorities: [CLIENT.certificate] });
    const pfx = pkcs12Of(CLIENT, 'pfx-word');
    const words = byCertificate(target, '--pin', pin, '--cert', pfx);
    expect(await fairlead(words, { FAIRLEAD_CERT_PASSWORD: 'pfx-word' })).toMatchObject({ ...DONE, questions: [] });
    const asked = await fairlead(words, {}, 'pfx-word');
    expect(asked).toMatchObject(DONE);
    expect(asked.questions).toEqual([expect.stringContaining('ana.pfx')]);
    const wrong = await fairlead(words, { FAIRLEAD_CERT_PASSWORD: 'other' });
    expect([wrong.code, wrong.stderr]).toEqual([67, expect.stringContaining('[tls.client-certificate-password]')]);
  });

  it('says auth.rejected when the certificate maps to nobody', async () => {
    const stranger = makeCertificate({ commonName: 'eve', userPrincipalName: 'eve@localhost', usage: 'client' });
    const { target, pin } = await startHost({
      clientCertificate: 'request',
      clientAuthorities: [stranger.certificate],
    });
    const pem = fileOf('eve.pem', stranger.certificate + stranger.key);
    const { code, stderr } = await fairlead(byCertificate(target, '--pin', pin, '--cert', pem));
    expect([code, stderr]).toEqual([67, expect.stringContaining('[auth.rejected]')]);
  });

  it('goes through a proxy that tunnels and not through one that reads: misuse.bad-argument', async () => {
    const { host, target, pin } = await startHost({ cbt: 'strict' });
    const seen: Uint8Array[] = [];
    const allow = [{ host: 'localhost', port: host.https?.port ?? 0 }];
    const proxy = await startConnectProxy({ allow, onBytes: (_, bytes) => void seen.push(bytes) });
    const through = ['--proxy', `http://127.0.0.1:${proxy.port}`, '--pin', pin];
    try {
      expect(await fairlead(exec(target, ...through))).toMatchObject(DONE);
      expect(await fairlead(exec(target, ...through, '--auth', 'basic'))).toMatchObject(DONE);
      const text = Buffer.concat(seen).toString('latin1');
      expect(text.length).toBeGreaterThan(5000);
      const basic = Buffer.from(`CORP\\ana:${PASSWORD}`).toString('base64');
      for (const word of [PASSWORD, basic, 'Basic', 'NTLMSSP', 'Envelope', 'printf', 'typed']) {
        expect(text).not.toContain(word);
      }
      const { code, stderr } = await fairlead(exec(target, ...through, '--forward'));
      expect([code, stderr]).toEqual([64, expect.stringContaining('[misuse.bad-argument]')]);
    } finally {
      await proxy.close();
    }
  });

  it('tells who is there with identify, and writes what TLS settled into the journal', async () => {
    const { target, pin } = await startHost();
    const journal = join(folder, 'journal.jsonl');
    const { code, stdout } = await fairlead(['identify', '-t', target, '--pin', pin, '--journal', journal]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('vendor')]);
    expect(readFileSync(journal, 'utf8')).toContain(`"version":"1.3"`);
    expect(readFileSync(journal, 'utf8')).toContain(pin);
  });

  it('says what is wrong with a file in one sentence, exit code 64', async () => {
    const { code, stderr } = await fairlead(exec('https://localhost:1', '--ca', join(folder, 'no-such-file')));
    expect([code, stderr]).toEqual([64, expect.stringMatching(/^fairlead: --ca: /)]);
  });
});

/** A PKCS#12 file by openssl, which is another hand than the reader's. */
function pkcs12Of({ certificate, key }: TlsIdentity, password: string): string {
  const [input, output] = [fileOf('ana-both.pem', certificate + key), join(folder, 'ana.pfx')];
  execFileSync('openssl', ['pkcs12', '-export', '-in', input, '-out', output, '-passout', `pass:${password}`]);
  return output;
}
