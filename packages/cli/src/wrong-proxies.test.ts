import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../testbed/src/certificate.ts';
import { catchWritten } from '../../testbed/src/written.ts';
import { run } from './run.ts';

// Proxies that are not what they were taken for, or that leave: what a person reads.

const folder = mkdtempSync(join(tmpdir(), 'fairlead-wrong-'));
const servers: Server[] = [];
const sockets = new Set<Socket>();
const { certificate: cert, key } = makeCertificate({ commonName: '127.0.0.1', names: ['127.0.0.1'] });

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Listens and does as it is told with each request, or with each connection's first bytes. @returns the port */
async function proxyThat(onBytes: (socket: Socket, bytes: Buffer, count: number) => void): Promise<number> {
  return await listen(
    createServer((socket) => {
      let count = 0;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => onBytes(socket, bytes, ++count));
    }),
  );
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function fairlead(
  options: readonly string[],
  environment: Record<string, string> = { FAIRLEAD_PROXY_PASSWORD: 'y' },
  askSecret: () => Promise<string | null> = () => Promise.resolve(null),
) {
  const { written, stdout, stderr } = catchWritten();
  const code = await run(['exec', '-u', 'CORP\\ana', ...options, '--', 'echo hi'], {
    ...{ stdin: Readable.from([]), stdout, stderr },
    environment: { FAIRLEAD_PASSWORD: 'x', ...environment },
    askSecret,
    onInterrupt: () => () => undefined,
  });
  return { code, ...written };
}

const HTTP = ['-t', 'http://srv1.example:5985'];
const HTTPS = ['-t', 'https://srv1.example'];
const reply = (status: string, ...fields: string[]): string =>
  `${[`HTTP/1.1 ${status}`, ...fields, 'Content-Length: 0'].join('\r\n')}\r\n\r\n`;
const PAGE = '<html><h1>Acceptable use</h1></html>';
const page = (status: string): string =>
  [`HTTP/1.1 ${status}`, 'Content-Type: text/html', `Content-Length: ${PAGE.length}`, '', PAGE].join('\r\n');

describe('a proxy that closes', () => {
  it('between the legs of its own sign-in is named with its own words, and nothing is said of WinRM', async () => {
    const port = await proxyThat((socket, _bytes, count) => {
      if (count === 1)
        socket.write(reply('407 Who', 'Proxy-Authenticate: NTLM', 'Via: 1.1 px', 'Proxy-Status: px; a=b'));
      else socket.end();
    });
    const { code, stderr } = await fairlead([
      ...HTTPS,
      '-p',
      `http://127.0.0.1:${port}`,
      '--proxy-user',
      'OFFICE\\pia',
    ]);
    expect(code).toBe(66);
    expect(stderr).toContain(
      `The proxy 127.0.0.1:${port} closed the connection in the middle of its own sign-in (CONNECT with NTLM).`,
    );
    for (const fact of ['via: 1.1 px', 'status: 407', 'proxyStatus: px; a=b']) expect(stderr).toContain(fact);
    expect(stderr).toContain('[proxy.drops-connection]');
    expect(stderr).not.toMatch(/Windows sign-in|5986/);
  });

  it('before a word may be one of another kind', async () => {
    const tls = await listen(createTlsServer({ cert, key }));
    const other = await proxyThat((socket) => socket.end());
    for (const port of [other, tls]) {
      const { code, stderr } = await fairlead([...HTTPS, '-p', `http://127.0.0.1:${port}`]);
      expect(code).toBe(66);
      expect(stderr).toContain(`127.0.0.1:${port}`);
      expect(stderr).toContain('one that wants TLS is written https://, a SOCKS proxy socks5://');
      expect(stderr).not.toMatch(/Windows sign-in|5986/);
    }
  });
});

describe('a portal', () => {
  const portal = (status: string): Promise<number> =>
    proxyThat((socket, _bytes, count) => {
      if (count === 1) socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      else socket.end(page(status));
    });

  it.each(['200 OK', '302 Found', '503 Nope'])('in a tunnel to https is named, its page shown (%s)', async (status) => {
    const port = await portal(status);
    const { code, stderr } = await fairlead([...HTTPS, '-p', `http://127.0.0.1:${port}`]);
    expect([code, stderr]).toEqual([66, expect.stringContaining(`The proxy 127.0.0.1:${port} said that the tunnel`)]);
    expect(stderr).toContain('text: Acceptable use');
    expect(stderr).not.toContain('Check the port');
  });

  it.each(['200 OK', '302 Found', '503 Nope'])('in a tunnel to http is named, and not accused (%s)', async (status) => {
    const port = await portal(status);
    const { code, stderr } = await fairlead([...HTTP, '-p', `http://127.0.0.1:${port}`]);
    expect(code).toBe(66);
    expect(stderr).toContain(`Through the proxy 127.0.0.1:${port} a web page came back (status ${status.slice(0, 3)})`);
    expect(stderr).toContain('If it is a web site on the host');
    expect(stderr).toContain('text: Acceptable use');
  });

  it('in absolute form is named too', async () => {
    const port = await proxyThat((socket) => socket.end(page('200 OK')));
    const { stderr } = await fairlead([...HTTP, '--forward', '-p', `http://127.0.0.1:${port}`]);
    expect(stderr).toContain(`Through the proxy 127.0.0.1:${port} a web page came back (status 200)`);
  });
});

describe('a proxy that is spoken to in the wrong way', () => {
  it('by TLS: a sentence, and nothing of OpenSSL', async () => {
    const port = await proxyThat((socket) => socket.end(reply('400 Bad Request')));
    const { code, stderr } = await fairlead([...HTTPS, '-p', `https://127.0.0.1:${port}`]);
    expect(code).toBe(66);
    expect(stderr).toContain(
      `TLS with the proxy 127.0.0.1:${port} failed: what answers there does not speak TLS.\n  It may be a proxy without TLS`,
    );
    expect(stderr).not.toMatch(/error:|\.c:|SSL routines|about:/);
  });

  it('by TLS with a certificate that nobody vouches for: --proxy-ca, and nothing of Node’s', async () => {
    const port = await listen(createTlsServer({ cert, key }));
    const { code, stderr } = await fairlead([...HTTPS, '-p', `https://127.0.0.1:${port}`]);
    expect(code).toBe(66);
    expect(stderr).toContain('nobody but itself vouches for its certificate.\n');
    expect(stderr).toContain('--proxy-ca FILE');
    expect(stderr).not.toMatch(/use-system-ca|Node/);
  });

  it('in SOCKS: by its first bytes', async () => {
    const port = await proxyThat((socket) => socket.end(reply('400 Bad Request')));
    const { stderr } = await fairlead([...HTTPS, '-p', `socks5://127.0.0.1:${port}`]);
    expect(stderr).toContain(
      `127.0.0.1:${port} does not answer like a SOCKS 5 proxy; its first bytes are “HTTP/1.1 400`,
    );
    expect(stderr).toContain('an HTTP proxy is written http://');
  });

  it('offers a Digest that nobody here can answer, and is not told the contrary', async () => {
    const offer = 'Proxy-Authenticate: Digest realm="x", nonce="n", algorithm=SHA-512-256, qop="auth"';
    const port = await proxyThat((socket) => socket.write(reply('407 Who', offer)));
    const { stderr } = await fairlead([...HTTPS, '-p', `http://127.0.0.1:${port}`, '--proxy-user', 'OFFICE\\pia']);
    expect(stderr).toContain('offers Digest (algorithm SHA-512-256) to sign in with');
    expect(stderr).toContain('Digest with MD5 or SHA-256');
    expect(stderr).not.toContain('you can allow that');
  });

  it('is written in a way that no proxy is', async () => {
    const { code, stderr } = await fairlead([...HTTPS, '-p', 'ftp://127.0.0.1:21']);
    expect([code, stderr]).toEqual([64, expect.stringContaining('proxies by http://, https:// or socks5://.')]);
  });
});

describe('a file that an option names', () => {
  it('is a sentence when it cannot be read', async () => {
    const nowhere = join(folder, 'nowhere.pem');
    for (const option of ['--proxy-ca', '--ca', '--pac', '--proxy-settings']) {
      const proxy = option === '--proxy-ca' ? ['-p', 'https://127.0.0.1:9'] : [];
      const missing = await fairlead([...HTTPS, ...proxy, option, nowhere]);
      expect([missing.code, missing.stderr]).toEqual([
        64,
        `fairlead: ${option}: there is no file ${nowhere}.\n  More: fairlead --help\n`,
      ]);
      const isFolder = await fairlead([...HTTPS, ...proxy, option, folder]);
      expect(isFolder.stderr).toContain(`${option}: ${folder} is a folder, not a file.`);
    }
    const journal = await fairlead([...HTTPS, '--journal', folder]);
    expect(journal.stderr).toContain(`The journal cannot be written: ${folder} is a folder`);
  });

  it('as --proxy-ca must hold certificates that can be read', async () => {
    const files = {
      'junk.der': [Buffer.from([0x30, 0x82, 1, 2, 0xff]), 'has no certificate in it; PEM is expected'],
      'empty.pem': [Buffer.from(''), 'has no certificate in it'],
      'bad.pem': [Buffer.from(cert.replace(/MII/, 'AAA')), 'cannot be read'],
    } as const;
    for (const [name, [bytes, says]] of Object.entries(files)) {
      const file = join(folder, name);
      writeFileSync(file, bytes);
      const { code, stderr } = await fairlead([...HTTPS, '-p', 'https://127.0.0.1:9', '--proxy-ca', file]);
      expect([code, stderr]).toEqual([64, expect.stringContaining('--proxy-ca: ')]);
      expect(stderr).toContain(says);
    }
  });
});

it('says nothing in brackets about settings that it cannot read at all', async () => {
  const file = join(folder, 'junk.txt');
  writeFileSync(file, 'dear diary');
  const { code, stderr } = await fairlead([...HTTPS, '--proxy-settings', file]);
  expect([code, stderr]).toEqual([64, expect.stringContaining('or script that cannot be read.\n')]);
});

it('calls what it was not prepared for a mistake of its own, below a session too', async () => {
  const file = join(folder, 'two.pac');
  writeFileSync(file, 'function FindProxyForURL() { return "PROXY 127.0.0.1:9; PROXY 127.0.0.1:10"; }');
  const options = [...HTTPS, '--pac', file, '--proxy-user', 'OFFICE\\pia'];
  const askSecret = (): Promise<never> => Promise.reject(new TypeError('odd'));
  const { code, stderr } = await fairlead(options, {}, askSecret);
  expect([code, stderr]).toEqual([70, expect.stringContaining('[unexpected]')]);
  expect(stderr).toContain('what: TypeError: odd');
  expect(stderr).not.toContain('relay');
});
