import { get, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { API_PATHS, signInProof } from '@fairlead/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { rawExchange, startTestRelay, type TestRelay } from './test-kit.ts';

let t: TestRelay;
beforeAll(async () => {
  t = await startTestRelay({ FAIRLEAD_TARGETS: 'srv1.corp' });
});
afterAll(() => t.close());

/** With a Host of the caller's, which fetch does not allow. */
function getWith(
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    get(`${t.base}${path}`, { headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    }).on('error', reject);
  });
}

function upgradeWith(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${t.base.replace('http', 'ws')}${path}`, { headers });
    socket.on('unexpected-response', (_request, answer) => {
      resolve(answer.statusCode ?? 0);
      socket.terminate();
    });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('error', () => {});
  });
}

const STRICT = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

test('a page has a policy with the hashes of its build and nothing unsafe', async () => {
  const { headers } = await getWith('/', {});
  expect(headers).toMatchObject(STRICT);
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self' 'sha256-AAAA'; style-src 'self'; font-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(headers['strict-transport-security']).toBeUndefined();
  expect(headers['permissions-policy']).toContain('camera=()');
});

test('every other answer carries strict headers too', async () => {
  for (const path of ['/nothing', '/api/status', '/api/nothing', '/healthz', '/metrics', '/ws/pipe', '/%', '/?a=b']) {
    const { headers } = await getWith(path, {});
    expect(headers, path).toMatchObject(STRICT);
    expect(headers['content-security-policy'], path).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
    expect(headers['content-security-policy'], path).not.toMatch(/unsafe/);
  }
  for (const text of [
    'GET /ws/pipe HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT srv1.corp:5985 HTTP/1.1\r\nHost: srv1.corp:5985\r\n\r\n',
    'nonsense\r\n\r\n',
  ]) {
    expect(await rawExchange(t.relay.port, text)).toMatch(/^HTTP\/1\.1 4\d\d [\s\S]*X-Content-Type-Options: nosniff/);
  }
});

test('the relay is no proxy: absolute targets and CONNECT are refused', async () => {
  const absolute = `GET http://srv1.corp/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  expect(await rawExchange(t.relay.port, absolute)).toMatch(/^HTTP\/1\.1 400 /);
  const connect = 'CONNECT srv1.corp:5985 HTTP/1.1\r\nHost: srv1.corp:5985\r\n\r\n';
  expect(await rawExchange(t.relay.port, connect)).toMatch(/^HTTP\/1\.1 405 /);
});

test('a peer that resets the connection it asked for ends nobody else’s', async () => {
  for (let i = 0; i < 100; i++) {
    await new Promise<void>((resolve) => {
      const socket = connect(t.relay.port, '127.0.0.1', () => {
        socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', () => socket.resetAndDestroy());
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }
  expect((await fetch(`${t.base}/healthz`)).status).toBe(200);
});

test('a Host that is not ours is refused, so a rebound name reaches nothing', async () => {
  const port = t.relay.port;
  for (const host of ['localhost', `localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    expect((await getWith('/api/status', { Host: host })).status, host).toBe(200);
  }
  for (const host of [
    `evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `127.0.0.1.evil.example`,
    `evil.example@localhost:${port}`,
    `localhost.:${port}`,
    `localhost:${port}:1`,
    `127.1:${port}`,
    `2130706433:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `0.0.0.0:${port}`,
    'localhost:',
  ]) {
    expect((await getWith('/api/status', { Host: host })).status, host).toBe(421);
    expect((await getWith('/', { Host: host })).status, host).toBe(421);
  }
  for (const head of ['Host:', 'Host: ', 'Host: evil.example', 'X-Forwarded-Host: localhost']) {
    const answer = await rawExchange(port, `GET / HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`);
    expect(answer, head).toMatch(/^HTTP\/1\.1 4(?:00|21) /);
  }
  const twice = `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
  expect(await rawExchange(port, twice)).toMatch(/^HTTP\/1\.1 4\d\d /);
});

test('a POST without our own Origin is refused', async () => {
  const proof = await signInProof('x');
  const port = t.relay.port;
  for (const origin of [
    'null',
    'https://evil.example',
    'http://localhost',
    `http://localhost:${port}`, // the page is at 127.0.0.1
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.evil.example`,
    `http://127.0.0.1:${port + 1}`,
  ]) {
    for (const path of [API_PATHS.signIn, API_PATHS.signOut, API_PATHS.tickets]) {
      expect((await t.post(path, { proof }, { Origin: origin })).status, `${origin} ${path}`).toBe(403);
    }
  }
  const without = await new Promise<number>((resolve) => {
    const headers = { 'Content-Type': 'application/json' };
    request(`${t.base}${API_PATHS.signIn}`, { method: 'POST', headers }, (a) => resolve(a.statusCode ?? 0)).end('{}');
  });
  expect(without).toBe(403);
  expect((await t.post(API_PATHS.signIn, { proof }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
});

test('a WebSocket without our own Origin and Host, or on another path, is refused', async () => {
  const port = t.relay.port;
  expect(await upgradeWith('/ws/pipe', {})).toBe(403);
  expect(await upgradeWith('/ws/pipe', { Origin: 'https://evil.example' })).toBe(403);
  expect(await upgradeWith('/ws/pipe', { Origin: 'null' })).toBe(403);
  expect(await upgradeWith('/ws/pipe', { Origin: `http://evil.example:${port}`, Host: `evil.example:${port}` })).toBe(
    421,
  );
  expect(await upgradeWith('/ws/pipe?x', { Origin: t.base })).toBe(404);
  expect(await upgradeWith('/ws/other', { Origin: t.base })).toBe(404);
  expect(await upgradeWith('/ws/pipe', { Origin: t.base })).toBe(101);
});

test('healthz answers whoever asks', async () => {
  const answer = await fetch(`${t.base}/healthz`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: 'ready' });
  expect((await getWith('/healthz', { Host: '10.1.2.3' })).status).toBe(200);
});

test('metrics are for this machine when there is no token', async () => {
  const answer = await fetch(`${t.base}/metrics`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  for (const name of ['fairlead_pipes_open', 'fairlead_dials_total', 'fairlead_sign_ins_total', 'process_cpu']) {
    expect(text).toContain(name);
  }
  expect((await getWith('/metrics', { Host: 'fairlead.corp' })).status).toBe(403);
  expect((await getWith('/metrics', { 'X-Forwarded-For': '10.1.2.3' })).status).toBe(403);
});

test('metrics with a token, https headers and the cookie’s name under a public origin', async () => {
  const token = 'a-token-of-some-length';
  const own = await startTestRelay({
    FAIRLEAD_PUBLIC_ORIGIN: 'https://fairlead.corp',
    FAIRLEAD_METRICS_TOKEN: token,
  });
  try {
    const ask = (path: string, headers: Record<string, string>) =>
      new Promise<{ status: number; headers: IncomingHttpHeaders }>((resolve) => {
        get(`${own.base}${path}`, { headers }, (answer) => {
          answer.resume();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
        });
      });
    expect((await ask('/metrics', {})).status).toBe(401);
    expect((await ask('/metrics', { Authorization: 'Bearer wrong-token-wrong-token' })).status).toBe(401);
    expect((await ask('/metrics', { Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await ask('/', {})).status).toBe(421);
    expect((await ask('/', { Host: 'fairlead.corp:4830' })).status).toBe(421);
    const page = await ask('/', { Host: 'Fairlead.corp' });
    expect(page.status).toBe(200);
    expect(page.headers['strict-transport-security']).toMatch(/^max-age=\d+/);
    const proof = await signInProof('AB');
    const { hashProof } = await import('@fairlead/contract');
    own.relay.expectProof(await hashProof(proof));
    const body = JSON.stringify({ proof });
    const cookie = await new Promise<string[]>((resolve) => {
      request(
        `${own.base}${API_PATHS.signIn}`,
        {
          method: 'POST',
          headers: {
            Host: 'fairlead.corp',
            Origin: 'https://fairlead.corp',
            'Content-Type': 'application/json',
            'Content-Length': body.length,
          },
        },
        (answer) => resolve(answer.headers['set-cookie'] ?? []),
      ).end(body);
    });
    expect(cookie).toHaveLength(1);
    expect(cookie[0]).toMatch(
      /^__Host-fairlead=[A-Za-z0-9_-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
  } finally {
    await own.close();
  }
});

test('methods and heads that make no sense are refused', async () => {
  expect((await fetch(t.base, { method: 'POST', body: 'x' })).status).toBe(405);
  expect((await fetch(`${t.base}/healthz`, { method: 'DELETE' })).status).toBe(405);
  expect((await fetch(`${t.base}${API_PATHS.status}`, { method: 'PUT', body: 'x' })).status).toBe(405);
  expect((await fetch(`${t.base}${API_PATHS.tickets}`)).status).toBe(405);
  expect((await getWith('/', { 'X-Long': 'x'.repeat(20_000) })).status).toBe(400);
});
