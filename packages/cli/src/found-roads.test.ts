import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isWinRmError } from '@fairlead/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectProxy, startConnectProxy, startWinRmHost, type WinRmHost } from '../../testbed/src/index.ts';
import { catchWritten } from '../../testbed/src/written.ts';
import { parseCommandLine } from './arguments.ts';
import { fetchPac } from './fetch-pac.ts';
import { run } from './run.ts';

const PASSWORD = 'Correct-horse-9';
const folder = mkdtempSync(join(tmpdir(), 'fairlead-roads-'));
const open: { close(): unknown }[] = [];
let host: WinRmHost;
let proxy: ConnectProxy;
let web: Server;
let deadPort = 0;
let pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {};

function portOf(server: Server | NetServer): number {
  return (server.address() as AddressInfo).port;
}

function listen<S extends Server | NetServer>(server: S): Promise<S> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

beforeAll(async () => {
  host = await startWinRmHost({ accounts: [{ user: 'ana', domain: 'CORP', password: PASSWORD }] });
  proxy = await startConnectProxy({ allow: [{ host: '127.0.0.1', port: host.port }] });
  open.push(host, proxy);
  web = await listen(
    createHttpServer((request, response) => {
      const page = pages[request.url ?? ''];
      if (page === undefined) response.writeHead(404).end();
      else page(request, response);
    }),
  );
  const dead = await listen(createServer());
  deadPort = portOf(dead);
  await new Promise((resolve) => dead.close(resolve));
});
beforeEach(() => {
  pages = {};
});
afterAll(async () => {
  web.closeAllConnections();
  web.close();
  for (const one of open) await one.close();
  rmSync(folder, { recursive: true });
});

async function fairlead(words: readonly string[], environment: Record<string, string> = {}, typed = '') {
  const { written, stdout, stderr } = catchWritten();
  const questions: string[] = [];
  const code = await run(words, {
    ...{ stdin: Readable.from([Buffer.from(typed)]), stdout, stderr },
    environment: { FAIRLEAD_PASSWORD: PASSWORD, ...environment },
    askSecret: (question) => {
      questions.push(question);
      return Promise.resolve(null);
    },
    onInterrupt: () => () => undefined,
  });
  return { code, ...written, questions };
}

const exec = (...options: string[]): string[] => [
  ...['exec', '-t', `127.0.0.1:${host.port}`, '-u', 'CORP\\ana', ...options],
  ...['--', 'printf done'],
];

function fileOf(name: string, text: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const pac = (answer: string): string => `function FindProxyForURL(url, host) { return ${JSON.stringify(answer)}; }`;
const tunnels = (): number => proxy.journal.filter(({ event }) => event === 'tunnel').length;

describe('R32: --pac', () => {
  it('asks a file which road to take, says what it said, and takes it', async () => {
    const before = tunnels();
    const file = fileOf('proxy.pac', pac(`PROXY 127.0.0.1:${proxy.port}; DIRECT`));
    const done = await fairlead(exec('--pac', file));
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr).toBe(`fairlead: proxy.pac says PROXY 127.0.0.1:${proxy.port}; DIRECT\n`);
    expect(tunnels()).toBeGreaterThan(before);
  });

  it('tries the next road when a proxy cannot be talked to, and says so once', async () => {
    const file = fileOf('dead.pac', pac(`PROXY 127.0.0.1:${deadPort}; PROXY 127.0.0.1:${proxy.port}`));
    const done = await fairlead(exec('--pac', file));
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr.split('\n').filter((line) => line.includes('trying'))).toEqual([
      `fairlead: PROXY 127.0.0.1:${deadPort} cannot be used (relay.connection-refused); trying PROXY 127.0.0.1:${proxy.port}`,
    ]);
  });

  it('lets neither a script nor settings write to the terminal more than words in a line', async () => {
    const foreign = '\u001b]0;PWNED\u0007\u001b[2J\u009b0m\u202e\u2028';
    const spoken = JSON.stringify(`${foreign}\nfairlead: x.pac says DIRECT`);
    const file = fileOf(
      'x.pac',
      `function FindProxyForURL() { dnsResolve(${spoken}); isInNet(${spoken}, "10.0.0.0", "255.0.0.0"); alert(${spoken}); return "PROXY 127.0.0.1:${proxy.port};" + ${spoken}; }`,
    );
    const throwing = fileOf('y.pac', `function FindProxyForURL() { throw ${spoken}; }`);
    const settings = fileOf('x.txt', `http://127.0.0.1:9/${foreign}x.pac`);
    const named = fileOf('y.txt', `AutoConfigURL : file:///nowhere/${foreign}x.pac`);
    for (const words of [
      exec('--pac', file),
      exec('--pac', throwing),
      exec('--json', '--pac', throwing),
      exec('--proxy-settings', settings),
      exec('--proxy-settings', named),
      exec('--pac', `/nowhere/${foreign}`),
    ]) {
      const { stdout, stderr } = await fairlead(words);
      expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(stderr).not.toMatch(/^fairlead: x\.pac says DIRECT/m);
    }
    const { stderr } = await fairlead(exec('--pac', file));
    expect(stderr).not.toContain('asked for addresses');
  });

  it('takes a file by its address as well', async () => {
    const file = fileOf('by address.pac', pac('DIRECT'));
    expect(await fairlead(exec('--pac', pathToFileURL(file).href))).toMatchObject({ code: 0, stdout: 'done' });
    const elsewhere = await fairlead(exec('--pac', 'file://server/share/proxy.pac'));
    expect([elsewhere.code, elsewhere.stderr]).toEqual([64, expect.stringContaining('names no file on this machine')]);
  });

  it('goes round no proxy that says no', async () => {
    const strict = await startConnectProxy({ allow: [] });
    open.push(strict);
    const before = tunnels();
    const file = fileOf('strict.pac', pac(`PROXY 127.0.0.1:${strict.port}; PROXY 127.0.0.1:${proxy.port}; DIRECT`));
    const done = await fairlead(exec('--pac', file));
    expect([done.code, done.stdout]).toEqual([66, '']);
    expect(done.stderr).toContain('[proxy.connect-denied]');
    expect(tunnels()).toBe(before);
  });

  it('says which names it did not look up, and what the script remarks', async () => {
    const file = fileOf(
      'asks.pac',
      `function FindProxyForURL(u, h) { alert("for " + h); return isInNet("srv9.corp", "10.0.0.0", "255.0.0.0") ? "PROXY x:1" : "DIRECT"; }`,
    );
    const { stderr, stdout } = await fairlead(exec('--pac', file));
    expect(stdout).toBe('done');
    expect(stderr).toContain('asks.pac remarks: for 127.0.0.1\n');
    expect(stderr).toContain('asked for addresses that are not looked up for it (srv9.corp)');
  });

  it.each([
    ['var x = ;', 'pac.unreadable', 66],
    ['function FindProxyForURL() { for (;;) {} }', 'pac.too-long', 66],
    ['function FindProxyForURL() { return eval("1"); }', 'pac.not-allowed', 66],
    ['function FindProxyForURL() { }', 'pac.gave-no-answer', 66],
  ])('ends at %j with %s', async (script, code, exitCode) => {
    const done = await fairlead(exec('--pac', fileOf('bad.pac', script)));
    expect(done.code).toBe(exitCode);
    expect(done.stderr).toContain(`[${code}]`);
    expect(done.stderr).toMatch(/The proxy script \(PAC\)/);
  });

  it('fetches an address, a redirect within the scheme included', async () => {
    const base = `http://127.0.0.1:${portOf(web)}`;
    pages['/old?q=1'] = (_request, response) => response.writeHead(302, { Location: '/proxy.pac' }).end();
    pages['/proxy.pac'] = (_request, response) => response.end(pac('DIRECT'));
    const done = await fairlead(exec('--pac', `${base}/old?q=1`));
    expect(done).toMatchObject({ code: 0, stdout: 'done', stderr: 'fairlead: old says DIRECT\n' });
  });

  it('what cannot be fetched is pac.not-fetched', async () => {
    const base = `http://127.0.0.1:${portOf(web)}`;
    pages['/away'] = (_request, response) =>
      response.writeHead(302, { Location: `https://127.0.0.1:${portOf(web)}/` }).end();
    pages['/secret'] = (_request, response) =>
      response.writeHead(302, { Location: `http://a:b@127.0.0.1:${portOf(web)}/` }).end();
    pages['/round'] = (_request, response) => response.writeHead(302, { Location: '/round' }).end();
    pages['/huge'] = (_request, response) => response.end('x'.repeat((1 << 20) + 1));
    pages['/silent'] = () => undefined;
    pages['/half'] = (_request, response) => response.writeHead(200).write('x');
    for (const [path, problem] of [
      ['/away', 'it leads to an address that is not followed'],
      ['/secret', 'it leads to an address that is not followed'],
      ['/round', 'it leads on and on'],
      ['/huge', 'it is larger than a mebibyte'],
      ['/none', 'it answered 404'],
      ['/silent', 'it took longer than 1 seconds'],
      ['/half', 'it took longer than 1 seconds'],
    ] as const) {
      const error = await fetchPac(`${base}${path}`, 300).catch((reason: unknown) => reason);
      if (!isWinRmError(error, 'pac.not-fetched')) throw error;
      expect(error.details.problem, path).toBe(problem);
    }
    const done = await fairlead(exec('--pac', `http://127.0.0.1:${deadPort}/p.pac`));
    expect([done.code, done.stderr.includes('[pac.not-fetched]')]).toEqual([66, true]);
    expect((await fairlead(exec('--pac', 'http://ana:hunter2@wpad/p.pac'))).stderr).not.toContain('hunter2');
  });

  it('asks for a proxy’s password only when the road has a proxy', async () => {
    const user = ['--proxy-user', 'bob'];
    const direct = await fairlead(exec('--pac', fileOf('direct.pac', pac('DIRECT')), ...user));
    expect([direct.code, direct.questions]).toEqual([0, []]);
    const through = await fairlead(exec('--pac', fileOf('through.pac', pac(`PROXY 127.0.0.1:${proxy.port}`)), ...user));
    expect(through.questions).toEqual([`Password for bob at the proxy 127.0.0.1:${proxy.port}: `]);
  });
});

describe('R33: --proxy-settings', () => {
  const netsh = (server: string, bypass: string): string =>
    `Paramètres de proxy WinHTTP actuels :\r\n\r\n    Serveur(s) proxy :  ${server}\r\n    Liste de contournement :  ${bypass}\r\n`;

  it('takes the road from what netsh printed, in a file or on standard input', async () => {
    const before = tunnels();
    const text = netsh(`127.0.0.1:${proxy.port}`, '<-loopback>');
    const file = await fairlead(exec('--proxy-settings', fileOf('netsh.txt', text)));
    expect(file).toMatchObject({ code: 0, stdout: 'done' });
    expect(file.stderr).toBe(
      `fairlead: the settings (netsh winhttp) say PROXY 127.0.0.1:${proxy.port}: that is the proxy for everything\n`,
    );
    expect(await fairlead(exec('--proxy-settings', '-'), {}, text)).toMatchObject({ code: 0, stdout: 'done' });
    expect(
      await fairlead(exec('--proxy-settings', fileOf('netsh16.txt', Buffer.from(`\ufeff${text}`, 'utf16le')))),
    ).toMatchObject({ code: 0 });
    expect(tunnels() - before).toBeGreaterThanOrEqual(3);
  });

  it('goes directly to an exception, and says that it is one', async () => {
    const before = tunnels();
    const done = await fairlead(exec('--proxy-settings', '-'), {}, netsh(`127.0.0.1:${proxy.port}`, '127.*'));
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr).toContain('say DIRECT: the host is one of the exceptions');
    expect(tunnels()).toBe(before);
  });

  it('says of this machine that it goes directly by rule, where no exception names it', async () => {
    const told = async (text: string) => (await fairlead(exec('--proxy-settings', '-'), {}, text)).stderr;
    expect(await told(netsh('127.0.0.1:9', '*.corp'))).toContain(
      'say DIRECT: by such settings this machine itself is never reached through a proxy',
    );
    const direct = 'Current WinHTTP proxy settings:\n\n    Direct access (no proxy server).\n';
    expect(await told(direct)).toContain('say DIRECT: there is no proxy for this kind of address');
  });

  it('asks the PAC file that the settings name', async () => {
    pages['/p.pac'] = (_request, response) => response.end(pac(`PROXY 127.0.0.1:${proxy.port}`));
    const text = `"AutoConfigURL"="http://127.0.0.1:${portOf(web)}/p.pac"\n"ProxyOverride"="<-loopback>"\n`;
    const done = await fairlead(exec('--proxy-settings', '-'), {}, text);
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr).toContain(`p.pac says PROXY 127.0.0.1:${proxy.port}`);
  });

  it('drops credentials, says so, and repeats none of them', async () => {
    const text = `http_proxy=http://ana:hunter2@127.0.0.1:${proxy.port}`;
    const done = await fairlead(exec('--proxy-settings', '-'), {}, text);
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr).toContain('A user name or password stood in http_proxy. It was not kept');
    expect(done.stderr).not.toMatch(/hunter2|ana/);
    const bad = await fairlead(exec('--proxy-settings', '-'), {}, 'http_proxy=http://ana:hun/ter2@x');
    expect([bad.code, bad.stderr.includes('[settings.unreadable]')]).toEqual([64, true]);
    expect(bad.stderr).not.toMatch(/ter2|ana/);
  });

  it('reads the environment when it is told to', async () => {
    const before = tunnels();
    const environment = { http_proxy: `http://127.0.0.1:${proxy.port}` };
    const done = await fairlead(exec('--proxy-settings', 'env'), environment);
    expect(done).toMatchObject({ code: 0, stdout: 'done' });
    expect(done.stderr).toContain('the settings (environment variables) say PROXY');
    expect(tunnels()).toBeGreaterThan(before);
    expect((await fairlead(exec('--proxy-settings', 'env'))).stderr).toContain('[settings.unreadable]');
  });

  it('contradicts --proxy and --pac', () => {
    for (const words of [
      ['--pac', 'a', '--proxy', 'http://b:1'],
      ['--pac', 'a', '--proxy-settings', 'b'],
      ['--proxy-settings', 'a', '-p', 'http://b:1'],
    ]) {
      expect(() => parseCommandLine(exec(...words))).toThrow(/contradict each other/);
    }
    expect(() => parseCommandLine(['shell', '-t', 'a', '-u', 'b', '--proxy-settings', '-'])).toThrow('name a file');
    expect(() => parseCommandLine(exec('--pac', 'a', '--proxy-user', 'b', '--proxy-user', 'c'))).toThrow(
      'more --proxy-user',
    );
    expect(parseCommandLine(exec('--pac', 'a', '--proxy-form', 'auto'))).toMatchObject({
      proxyForm: 'auto',
      roadSource: { kind: 'pac', place: 'a' },
    });
  });
});

describe('R34: a proxy of the environment', () => {
  it('is not touched by the process, whatever it is told to do with it', async () => {
    let touched = 0;
    const trap = await listen(
      createServer((socket) => {
        touched += 1;
        socket.destroy();
      }),
    );
    open.push({ close: () => trap.close() });
    const url = `http://127.0.0.1:${portOf(trap)}`;
    const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
    const environment = {
      ...Object.fromEntries(names.map((name) => [name, url])),
      // Node's own switch for it, which moves fetch and the global agents.
      ...{ NODE_USE_ENV_PROXY: '1', PATH: process.env['PATH'] ?? '', FAIRLEAD_PASSWORD: PASSWORD },
    };
    pages['/p.pac'] = (_request, response) => response.end(pac('DIRECT'));
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const spawned = (words: string[]) =>
      new Promise<{ code: number | null; stdout: string }>((resolve) => {
        const child = spawn(process.execPath, [main, ...words], {
          env: environment,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let stdout = '';
        child.stdout.on('data', (bytes) => {
          stdout += String(bytes);
        });
        child.on('close', (code) => resolve({ code, stdout }));
      });
    expect(await spawned(exec())).toEqual({ code: 0, stdout: 'done' });
    expect(await spawned(exec('--pac', `http://127.0.0.1:${portOf(web)}/p.pac`))).toEqual({ code: 0, stdout: 'done' });
    expect(touched).toBe(0);
    // The trap works: asked for by name, it is used, and fails.
    expect((await spawned(exec('--proxy-settings', 'env'))).code).not.toBe(0);
    expect(touched).toBeGreaterThan(0);
  }, 30_000);
});
