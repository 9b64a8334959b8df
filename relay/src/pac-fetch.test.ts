import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { API_PATHS, apiErrorSchema, proxyScriptReplySchema, readRelayError } from '@fairlead/contract';
import { MAX_PAC_BYTES } from '@fairlead/protocol/pac-file';
import { isWinRmError } from '@fairlead/protocol/road';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRules } from './dial-policy.ts';
import { fetchScript, readScriptPlace } from './pac-fetch.ts';
import { listenTcp, startTestRelay, type TestRelay } from './test-kit.ts';

const SCRIPT = 'function FindProxyForURL(url, host) { return "PROXY proxy.corp:8080"; }';
const NAMES: Record<string, string[]> = {
  'wpad.corp': ['127.0.0.1'],
  'mixed.corp': ['127.0.0.1', '10.0.0.1'],
  'inside.corp': ['10.0.0.1'],
  'meta.corp': ['169.254.169.254'],
};

let server: Server;
let port = 0;
let other: Awaited<ReturnType<typeof listenTcp>>;
let relay: TestRelay;
let resolved: string[] = [];
const seen: IncomingMessage[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  seen.push(request);
  const path = request.url ?? '';
  if (path === '/redirect') response.writeHead(302, { Location: `http://127.0.0.1:${other.port}/` }).end();
  else if (path === '/missing') response.writeHead(404).end(SCRIPT);
  else if (path === '/huge') response.writeHead(200).end('x'.repeat(MAX_PAC_BYTES + 1));
  else if (path === '/endless' || path === '/endless-missing') {
    response.writeHead(path === '/endless' ? 200 : 404);
    const chunk = 'x'.repeat(65_536);
    const more = () => {
      if (!response.destroyed) response.write(chunk, more);
    };
    more();
  } else if (path === '/largest') response.writeHead(200).end('x'.repeat(MAX_PAC_BYTES));
  else if (path === '/latin1') {
    response
      .writeHead(200, { 'Content-Type': 'application/x-ns-proxy-autoconfig' })
      .end(Buffer.from('// caf\xe9', 'latin1'));
  } else if (path === '/utf16') {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-16le' }).end(Buffer.from('// é', 'utf16le'));
  } else if (path === '/silent') return;
  else response.writeHead(200, { 'Content-Type': 'text/plain', 'Set-Cookie': 'a=b' }).end(SCRIPT);
}

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  other = await listenTcp(() => undefined);
  relay = await startTestRelay(
    {
      FAIRLEAD_TARGETS: `10.0.0.0/8:*,127.0.0.1:${other.port}`,
      FAIRLEAD_PROXY_SCRIPTS: `wpad.corp:${port}@127.0.0.0/8,mixed.corp:${port}@127.0.0.0/8,*.open:${port}`,
    },
    {
      resolve: (name) => {
        resolved.push(name);
        return name in NAMES ? Promise.resolve(NAMES[name] ?? []) : Promise.reject(new Error('no such name'));
      },
    },
  );
});
afterAll(async () => {
  await relay.close();
  server.closeAllConnections();
  server.close();
  other.close();
});

/** Each test signs in anew: ten fetches a minute are one person's, and tests are one person. */
async function ask(url: unknown, cookie: string | null): Promise<{ status: number; body: unknown }> {
  const reply = await relay.post(API_PATHS.proxyScript, { url }, cookie === null ? {} : { Cookie: cookie });
  return { status: reply.status, body: await reply.json() };
}

/** What a fetch without the API in front of it ends in. */
async function fetched(url: string, rulesText: string, names = NAMES): Promise<string> {
  const rules = parseRules(rulesText, 'proxies');
  const place = readScriptPlace(url, rules);
  const resolve = (name: string) =>
    name in names ? Promise.resolve(names[name] ?? []) : Promise.reject(new Error('no'));
  return fetchScript(place, { rules, resolve, timeoutMs: 500, roots: [] });
}

test('R32: a signed-in page gets a PAC file as text, fetched with one plain GET', async () => {
  const cookie = await relay.signIn();
  seen.length = 0;
  resolved = [];
  const reply = await ask(`http://wpad.corp:${port}/proxy.pac?group=7#part`, cookie);
  expect(reply.status).toBe(200);
  expect(proxyScriptReplySchema.parse(reply.body)).toEqual({ text: SCRIPT });
  expect(seen).toHaveLength(1);
  expect(seen[0]?.url).toBe('/proxy.pac?group=7');
  expect(seen[0]?.headers.host).toBe(`wpad.corp:${port}`);
  const headers = Object.keys(seen[0]?.headers ?? {}).sort();
  expect(headers).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
  expect(resolved).toEqual(['wpad.corp']);
  const log = relay.log.join('');
  expect(log).toContain('script.fetched');
  expect(log).not.toMatch(/group=7|FindProxy/);
});

test('nobody else does: relay.sign-in-required', async () => {
  seen.length = 0;
  const reply = await ask(`http://wpad.corp:${port}/`, null);
  expect([reply.status, readRelayError(apiErrorSchema.parse(reply.body).error)?.code]).toEqual([
    401,
    'relay.sign-in-required',
  ]);
  expect(seen).toHaveLength(0);
});

test('what the policy does not name is not fetched, and not even looked up: relay.policy-denied', async () => {
  const cookie = await relay.signIn();
  resolved = [];
  const reply = await ask(`http://secret.corp:${port}/`, cookie);
  expect(reply.status).toBe(403);
  expect(readRelayError(apiErrorSchema.parse(reply.body).error)).toEqual({
    code: 'relay.policy-denied',
    details: { host: 'secret.corp', port, rule: 'script' },
  });
  expect(resolved).toEqual([]);
});

test('a name that leads elsewhere is refused whole, without saying where', async () => {
  const cookie = await relay.signIn();
  seen.length = 0;
  const reply = await ask(`http://mixed.corp:${port}/`, cookie);
  expect(reply.status).toBe(403);
  expect(JSON.stringify(reply.body)).not.toContain('10.0.0.1');
  expect(seen).toHaveLength(0);
});

test('the failures of a fetch are pac.not-fetched, with words', async () => {
  const rules = `127.0.0.1:*,wpad.corp:*@127.0.0.0/8,gone.corp:*`;
  const at = (path: string) => fetched(`http://127.0.0.1:${port}${path}`, rules);
  const ends = (path: string, problem: string | RegExp) =>
    expect(at(path), path).rejects.toMatchObject({
      code: 'pac.not-fetched',
      details: { host: '127.0.0.1', problem: expect.stringMatching(problem) },
    });
  other.sockets.length = 0;
  await ends('/redirect', /^it answered 302, and redirects are not followed$/);
  expect(other.sockets).toHaveLength(0);
  await ends('/missing', /^it answered 404$/);
  await ends('/huge', /^it is larger than a mebibyte$/);
  await ends('/endless', /^it is larger than a mebibyte$/);
  await ends('/endless-missing', /^it answered 404$/);
  await ends('/silent', /^it took longer than 1 seconds$/);
  expect((await at('/largest')).length).toBe(MAX_PAC_BYTES);
  expect(await at('/latin1')).toBe('// café');
  expect(await at('/utf16')).toBe('// é');
  await expect(fetched('http://gone.corp:1/', `${rules},gone.corp:1`)).rejects.toMatchObject({
    code: 'pac.not-fetched',
    details: { problem: 'there is no such name' },
  });
  const closed = await listenTcp(() => undefined);
  closed.close();
  await expect(fetched(`http://127.0.0.1:${closed.port}/`, rules)).rejects.toMatchObject({
    code: 'pac.not-fetched',
    details: { problem: 'the connection failed (ECONNREFUSED)' },
  });
  await expect(fetched(`https://127.0.0.1:${port}/`, rules)).rejects.toMatchObject({ code: 'pac.not-fetched' });
});

test('no spelling reaches what is not allowed', async () => {
  const rules = `127.0.0.1:${port},wpad.corp:${port}@127.0.0.0/8,*.open:${port}`;
  const names = {
    ...NAMES,
    'b.open': ['169.254.169.254'],
    'c.open': ['::ffff:127.0.0.1'],
    'd.open': ['0.0.0.0'],
  };
  const hosts = [
    ...[
      '127.0.0.2',
      '127.1.1.1',
      '0.0.0.0',
      '0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.2]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
    ],
    ...[
      '10.0.0.1',
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '0251.0376.0251.0376',
      '169.254.43518',
      '[fd00:ec2::254]',
    ],
    ...[
      'localhost',
      'localhost.',
      'inside.corp',
      'meta.corp',
      'WPAD.corp.evil',
      'xwpad.corp',
      'wpad.corp%00.evil',
      'wpad。corp.evil',
    ],
    ...[
      'b.open',
      'c.open',
      'd.open',
      'open',
      '127.0.0.1.evil',
      'wpad_corp',
      '%31%32%37.0.0.2',
      '１２７.0.0.2',
      'wpad.corp..',
      'ｗpad.corp。evil',
    ],
  ];
  const urls = [
    ...hosts.map((host) => `http://${host}:${port}/`),
    ...hosts.map((host) => `https://${host}:${port}/proxy.pac`),
    ...hosts.map((host) => `http://wpad.corp:${port}@${host}:${port}/`),
    ...hosts.map((host) => `http://${host}:${port}#@wpad.corp:${port}/`),
    ...hosts.map((host) => `http://${host}:${port}\\@wpad.corp:${port}/`),
    ...['http://127.0.0.1/', 'http://127.0.0.1:0/', `http://127.0.0.1:${port + 1}/`, `http://127.0.0.1:${port}0/`],
    ...[
      `ftp://127.0.0.1:${port}/`,
      `file:///etc/passwd`,
      `data:text/plain,x`,
      `javascript:1`,
      `unix:/run/x`,
      `gopher://127.0.0.1:${port}/`,
    ],
    ...[
      `http:127.0.0.2:${port}/`,
      `http:///127.0.0.2:${port}/`,
      `//127.0.0.1:${port}/`,
      `127.0.0.1:${port}`,
      '',
      'http://',
      'http://[',
      `http://127.0.0.1 :${port}/`,
    ],
    ...[
      `http://127.0.0.1:${port}/ HTTP/1.1\r\nX: y`,
      `http://127.0.0.1:${port}/\n`,
      `\thttp://127.0.0.1:${port}/`,
      `http://@127.0.0.1:${port}/`,
      `http://:@127.0.0.1:${port}/`,
    ],
  ];
  expect(urls.length).toBeGreaterThan(150);
  seen.length = 0;
  for (const url of urls) {
    // A name that nobody knows may lead to an allowed address, as with dials, so it is looked up; nobody hears about it.
    await expect(fetched(url, rules, names), url).rejects.toSatisfy(
      (error: { code: string; details: { problem?: string } }) =>
        error.code === 'pac.not-fetched'
          ? error.details.problem === 'there is no such name'
          : /^(?:relay\.policy-denied|misuse\.bad-argument)$/.test(error.code),
    );
  }
  expect(seen).toHaveLength(0);
  const strict = `*.open:${port}`;
  await expect(fetched(`http://a.open:${port}/`, strict, { 'a.open': ['127.0.0.1'] })).rejects.toMatchObject({
    code: 'relay.policy-denied',
  });
  // The same host written in another way is the same host, and is judged as such.
  expect(await fetched(`http://0x7f.1:${port}/`, rules, names)).toBe(SCRIPT);
  expect(await fetched(`http://WPAD.corp:${port}/`, rules, names)).toBe(SCRIPT);
});

test('which names exist is told to nobody whom only a range of addresses lets ask', async () => {
  const rules = parseRules(`10.0.0.0/8:80,*.open:80`, 'proxies');
  const told = async (name: string, resolve: () => Promise<string[]>, timeoutMs = 2000) => {
    const place = readScriptPlace(`http://${name}/`, rules);
    const error: unknown = await fetchScript(place, { rules, resolve, timeoutMs, roots: [] }).catch((one) => one);
    return isWinRmError(error) && { code: error.code, details: error.details };
  };
  const elsewhere = () => Promise.resolve(['192.0.2.1']);
  const nowhere = () => Promise.reject(new Error('ENOTFOUND'));
  const nothing = () => Promise.resolve([]);
  const never = () => new Promise<string[]>(() => {});
  const denied = { code: 'relay.policy-denied', details: { host: 'x.corp', port: 80, rule: 'address' } };
  expect(await told('x.corp', elsewhere)).toEqual(denied);
  expect(await told('x.corp', nowhere)).toEqual(denied);
  expect(await told('x.corp', nothing)).toEqual(denied);
  expect(await told('x.corp', never, 20)).toEqual(denied);
  // A rule that covers the name says that it may be asked about.
  const { code, details } = (await told('x.open', nowhere)) || denied;
  expect([code, details]).toEqual(['pac.not-fetched', { host: 'x.open', problem: 'there is no such name' }]);
});

test('a name that changes its answer changes nothing: it is resolved once', async () => {
  let count = 0;
  const rules = parseRules(`flip.corp:${port}@127.0.0.0/8`, 'proxies');
  const resolve = () => Promise.resolve([count++ === 0 ? '127.0.0.1' : '10.0.0.1']);
  const place = readScriptPlace(`http://flip.corp:${port}/`, rules);
  expect(await fetchScript(place, { rules, resolve, timeoutMs: 2000, roots: [] })).toBe(SCRIPT);
  expect(count).toBe(1);
});

test('bodies, methods and rates are bounded: relay.limit-reached', async () => {
  const own = await startTestRelay({ FAIRLEAD_PROXY_SCRIPTS: `127.0.0.1:${port}` });
  try {
    const cookie = await own.signIn();
    const post = (body: unknown) => own.post(API_PATHS.proxyScript, body, { Cookie: cookie });
    for (const body of [
      {},
      { url: 7 },
      { url: '' },
      { url: `http://a/${'x'.repeat(3000)}` },
      { url: 'http://a/', more: 1 },
    ]) {
      expect((await post(body)).status, JSON.stringify(body).slice(0, 60)).toBe(400);
    }
    expect((await fetch(`${own.base}${API_PATHS.proxyScript}`, { headers: { Cookie: cookie } })).status).toBe(405);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await post({ url: `http://127.0.0.1:${port}/` })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.slice(10)).toEqual([429, 429]);
  } finally {
    await own.close();
  }
});

test('without a setting there is no such thing', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: `127.0.0.1:${port}`, FAIRLEAD_PROXIES: `127.0.0.1:${port}` });
  try {
    const cookie = await own.signIn();
    seen.length = 0;
    const reply = await own.post(API_PATHS.proxyScript, { url: `http://127.0.0.1:${port}/` }, { Cookie: cookie });
    expect(reply.status).toBe(403);
    expect(seen).toHaveLength(0);
    const status = (await (await fetch(`${own.base}${API_PATHS.status}`, { headers: { Cookie: cookie } })).json()) as {
      canReach: object;
    };
    expect('scripts' in status.canReach).toBe(false);
  } finally {
    await own.close();
  }
});
