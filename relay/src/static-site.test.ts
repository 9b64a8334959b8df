import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSite, type StaticSite } from './static-site.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-site-'));
const root = join(folder, 'out');
const SCRIPT = `${'let a = 1;\n'.repeat(200)}`;
let site: StaticSite;
let server: Server;
let port = 0;

beforeAll(async () => {
  mkdirSync(join(root, '_next/static/chunks'), { recursive: true });
  mkdirSync(join(root, 'session'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<!doctype html>home');
  writeFileSync(join(root, '404.html'), '<!doctype html>lost');
  writeFileSync(join(root, 'session/index.html'), '<!doctype html>session');
  writeFileSync(join(root, 'session/__next.$oc$slug.txt'), 'payload');
  writeFileSync(join(root, '_next/static/chunks/a b$c.js'), SCRIPT);
  writeFileSync(join(root, 'font.woff2'), Buffer.alloc(2000));
  writeFileSync(join(root, 'csp.json'), '{"/index.html":["sha256-AA+/=="],"/session/index.html":["sha256-BB"]}');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
  symlinkSync(folder, join(root, 'up'));
  site = await loadSite(root);
  await site.compress();
  server = createServer((request, response) => site.answer(request, response, request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers, method }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    }).on('error', reject);
  });
}

test('a script has a policy under which a worker made of it may reach the relay and nothing else', async () => {
  const { headers } = await ask('/_next/static/chunks/a%20b$c.js');
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; connect-src 'self'",
  );
  expect((await ask('/font.woff2')).headers['content-security-policy']).toBeUndefined();
});

test('pages are served at their folder, with the policy of each', async () => {
  const home = await ask('/');
  expect(home).toMatchObject({ status: 200, body: Buffer.from('<!doctype html>home') });
  expect(home.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(home.headers['content-security-policy']).toContain("script-src 'self' 'sha256-AA+/=='");
  expect(home.headers['cache-control']).toBe('no-cache');
  const session = await ask('/session/?tab=1');
  expect(session.headers['content-security-policy']).toContain("'sha256-BB'");
  expect((await ask('/session')).headers.location).toBe('/session/');
  expect(await ask('/session?tab=1')).toMatchObject({ status: 308, headers: { location: '/session/?tab=1' } });
});

test('names with $ and blanks are found, raw or percent-encoded', async () => {
  for (const path of ['/session/__next.$oc$slug.txt', '/session/__next.%24oc%24slug.txt']) {
    expect((await ask(path)).body.toString()).toBe('payload');
  }
  expect((await ask('/_next/static/chunks/a%20b$c.js')).status).toBe(200);
});

test('text is compressed as the browser wishes; hashed names are kept for ever', async () => {
  const path = '/_next/static/chunks/a%20b$c.js';
  const br = await ask(path, { 'Accept-Encoding': 'gzip, deflate, br, zstd' });
  expect(br.headers).toMatchObject({
    'content-encoding': 'br',
    vary: 'Accept-Encoding',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': `${br.body.length}`,
  });
  expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT);
  const gzip = await ask(path, { 'Accept-Encoding': 'gzip, br;q=0' });
  expect(gzip.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT);
  for (const wish of ['', 'identity', '*', 'gzip;q=0, br;q=0.000']) {
    const plain = await ask(path, { 'Accept-Encoding': wish });
    expect(plain.headers['content-encoding'], wish).toBeUndefined();
    expect(plain.body.toString()).toBe(SCRIPT);
  }
  const font = await ask('/font.woff2', { 'Accept-Encoding': 'br' });
  expect(font.headers).toMatchObject({ 'content-type': 'font/woff2', 'content-length': '2000' });
  expect(font.headers['content-encoding']).toBeUndefined();
});

test('a known ETag is answered with 304, HEAD without a body', async () => {
  const path = '/_next/static/chunks/a%20b$c.js';
  const first = await ask(path, { 'Accept-Encoding': 'br' });
  const etag = first.headers.etag ?? '';
  expect((await ask(path)).headers.etag).not.toBe(etag);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await ask(path, { 'Accept-Encoding': 'br', 'If-None-Match': known });
    expect(again, known).toMatchObject({ status: 304, body: Buffer.alloc(0), headers: { etag } });
  }
  expect((await ask(path, { 'If-None-Match': '"other"' })).status).toBe(200);
  const head = await ask(path, {}, 'HEAD');
  expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-length': `${SCRIPT.length}` } });
});

test('what is not there is 404, as a page for whoever wants one', async () => {
  const page = await ask('/nothing', { Accept: 'text/html' });
  expect(page).toMatchObject({ status: 404, body: Buffer.from('<!doctype html>lost') });
  expect(page.headers['cache-control']).toBe('no-store');
  expect((await ask('/nothing')).body.toString()).toBe('Not found\n');
});

test('no spelling of a path leads outside the folder', async () => {
  const spellings = [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/%252e%252e/secret.txt',
    '/session/../../secret.txt',
    '/session/..%5c..%5csecret.txt',
    '/..\\secret.txt',
    '//secret.txt',
    '/./../secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/..;/secret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/up/',
    '/secret.txt%00.html',
    '/index.html%00',
    '/%',
    '/%zz',
    '/csp.json',
    '/CSP.JSON',
    '/file:///etc/passwd',
    `/${join(folder, 'secret.txt')}`,
    '/__proto__',
    '/constructor',
    '/session/index.html/',
    '/.',
    '/..',
    '*',
  ];
  for (const path of spellings) {
    const answer = await ask(path);
    expect([400, 404], path).toContain(answer.status);
    expect(answer.body.toString(), path).not.toContain('secret');
  }
});

test('loadSite says in a sentence that there is no app, or no csp.json', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'fairlead-site-'));
  try {
    await expect(loadSite(join(empty, 'none'))).rejects.toThrow(/^The web app is not built: .* has no index\.html\./);
    writeFileSync(join(empty, 'index.html'), '');
    await expect(loadSite(empty)).rejects.toThrow(/csp\.json is missing/);
    for (const bad of ['{', '[]', '{"/index.html":["unsafe-inline"]}', `{"/":["sha256-A' 'unsafe-eval"]}`]) {
      writeFileSync(join(empty, 'csp.json'), bad);
      await expect(loadSite(empty), bad).rejects.toThrow(/csp\.json/);
    }
    writeFileSync(join(empty, 'csp.json'), '{}');
    expect((await loadSite(empty)).size).toBe(1);
  } finally {
    rmSync(empty, { recursive: true });
  }
});
