import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  API_PATHS,
  CLOSE_CODES,
  decodeFrames,
  encodeFrames,
  HTTP_PIPE_PATH,
  LINK_HEADER,
  PIPE_PATH,
  signInProof,
  TURN_HEADER,
} from '@fairlead/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_NAMES, ODD_PORTS, oddAddresses, oddNames } from './odd-spellings.ts';
import { openTestPipe, startTestRelay, type TestPipe, writeTestSite } from './test-kit.ts';

// The relay as a process of its own, signed in to as a person would be. Whatever it lets through arrives at a trap: a
// listener on loopback, which no rule allows, or a proxy that writes down what it is told and lets everything pass.

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const GREETING = 'trap\n';
const folder = mkdtempSync(join(tmpdir(), 'fairlead-open-'));
const relays: RelayProcess[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();

let wide: RelayProcess;
let narrow: RelayProcess;
let named: RelayProcess;
/** Forbidden, everywhere: who gets here has passed. */
let trap: Listener;
/** Allowed, by its exact address. */
let control: Listener;
/** Allowed as proxies: each writes down what it is told. */
let connectProxy: Listener;
let forwardProxy: Listener;
let socksProxy: Listener;
let askingProxy: Listener;
/** Each way that was tried, as one line. */
const tried = new Set<string>();

interface Listener {
  readonly port: number;
  /** What came, one text for each connection. */
  readonly heard: string[];
}

/** A listener on loopback; `answer` is asked with all that has come so far, and says what to send now. */
async function listen(answer: (heard: string) => string | null, onAccept = ''): Promise<Listener> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    const index = heard.push('') - 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (onAccept !== '') socket.write(onAccept);
    socket.on('data', (bytes) => {
      heard[index] += bytes.toString('latin1');
      const reply = answer(heard[index] as string);
      if (reply !== null) socket.write(Buffer.from(reply, 'latin1'));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, heard };
}

/** RFC 1928: no authentication; then the request is granted, whatever it is. */
function grant(heard: string): string {
  return heard === '\x05\x01\0' ? '\x05\0' : '\x05\0\0\x01\0\0\0\0\0\0';
}

interface RelayProcess {
  readonly child: ChildProcess;
  readonly base: string;
  readonly cookie: string;
}

async function startProcess(name: string, targets: string, proxies: string): Promise<RelayProcess> {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      FAIRLEAD_PORT: '0',
      FAIRLEAD_DATA: join(folder, name),
      FAIRLEAD_STATIC: folder,
      FAIRLEAD_TARGETS: targets,
      FAIRLEAD_PROXIES: proxies,
      FAIRLEAD_DIALS_PER_MINUTE: '100000',
      FAIRLEAD_CONNECTIONS: '1000',
      FAIRLEAD_DIAL_SECONDS: '5',
      FAIRLEAD_DRAIN_SECONDS: '0',
    },
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (bytes) => {
    err += String(bytes);
  });
  const printed = new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout.on('data', (bytes) => {
      out += String(bytes);
      const found = /(http:\/\/localhost:\d+)\n[\s\S]*one use: (\S+)\n/.exec(out);
      if (found !== null) resolve(found);
    });
    child.on('exit', (code) => reject(new Error(`the relay ended with ${code}: ${err}`)));
  });
  const [, origin = '', code = ''] = await printed;
  const base = origin.replace('localhost', '127.0.0.1');
  const answer = await fetch(`${base}${API_PATHS.signIn}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: base },
    body: JSON.stringify({ proof: await signInProof(code) }),
  });
  const relay = { child, base, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
  relays.push(relay);
  return relay;
}

beforeAll(async () => {
  writeTestSite(folder);
  trap = await listen(() => null, GREETING);
  control = await listen(() => null, GREETING);
  connectProxy = await listen((heard) =>
    heard.endsWith('\r\n\r\n') ? 'HTTP/1.1 200 OK\r\n\r\n' : grant(heard.split('\r\n\r\n')[1] ?? ''),
  );
  forwardProxy = await listen(() => null);
  socksProxy = await listen(grant);
  askingProxy = await listen((heard) =>
    heard.includes('Proxy-Authorization: Basic YTpi')
      ? 'HTTP/1.1 200 OK\r\n\r\n'
      : 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
  );
  const ours = `127.0.0.1:${control.port}`;
  const proxies = [connectProxy, forwardProxy, socksProxy, askingProxy]
    .map(({ port }) => `127.0.0.1:${port}`)
    .join(' ');
  // Whatever is public, by any name on any port; and a few names and addresses.
  const all = '*:* 0.0.0.0/0:* [::/0]:*';
  const names = 'srv1.corp:* *.lab.example:*';
  const few = `${names} 10.0.0.0/8:* 8.8.8.8:* [fd00:1::/64]:*`;
  [wide, narrow, named] = await Promise.all([
    startProcess('wide', `${ours} ${all}`, `${proxies} ${all}`),
    startProcess('narrow', `${ours} ${few}`, `${proxies} ${few}`),
    startProcess('named', `${ours} ${names}`, `${proxies} ${names}`),
  ]);
}, 60_000);

afterAll(async () => {
  for (const { child } of relays) child.kill('SIGKILL');
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
  const hosts = oddHosts().length;
  process.stdout.write(`${tried.size} forbidden ways tried, with ${hosts} spellings of hosts; none passes\n`);
});

function oddHosts(): string[] {
  return [...new Set([...oddAddresses(), ...oddNames(), ...LOCAL_NAMES])];
}

/** What has reached a place where nothing may arrive. */
function arrivals(): string[] {
  return [trap, connectProxy, forwardProxy, socksProxy].flatMap(({ heard }) => heard);
}

interface Verdict {
  readonly status: number;
  readonly code: string;
  readonly ticket: string | null;
}

async function ask(relay: RelayProcess, json: string, cookie = relay.cookie): Promise<Verdict> {
  const answer = await fetch(`${relay.base}${API_PATHS.tickets}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: relay.base, Cookie: cookie },
    body: json,
  });
  const body = (await answer.json()) as { ticket?: string; error?: { code: string } };
  return { status: answer.status, code: body.error?.code ?? '', ticket: body.ticket ?? null };
}

/** Asks for a road and, should there be a ticket, walks it: "refused: CODE" or "passed". */
async function tryRoad(relay: RelayProcess, json: string): Promise<string> {
  tried.add(json);
  const { ticket, code } = await ask(relay, json);
  if (ticket === null) return `refused: ${code}`;
  const pipe = await openTestPipe(relay.base, { Cookie: relay.cookie });
  pipe.say({ type: 'dial', ticket });
  await Promise.race([pipe.until('failed'), pipe.until('opened')]).catch(() => {});
  pipe.socket.terminate();
  const failed = pipe.said.find(({ type }) => type === 'failed');
  return failed === undefined ? 'passed' : `refused: ${String(failed['code'])}`;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';
const hop = (kind: string, port: number, host = LOOPBACK) => ({ kind, host, port });

/** The roads on which a host can be named: as target, and as a proxy in each place. */
function roadsWith(odd: Place): object[] {
  const good = { host: LOOPBACK, port: control.port };
  const first = hop('http-connect', connectProxy.port);
  const route = (...hops: object[]) => ({ name: '', hops });
  return [
    { target: odd, route: route() },
    { target: odd, route: route(first) },
    { target: odd, route: route(hop('http-forward', forwardProxy.port)) },
    { target: odd, route: route(hop('socks5', socksProxy.port)) },
    { target: odd, route: route(first), scheme: 'https' },
    { target: odd, route: route(first, hop('http-forward', forwardProxy.port)) },
    { target: good, route: route(hop('http-connect', odd.port, odd.host)) },
    { target: good, route: route({ ...hop('http-connect', odd.port, odd.host), tls: true }) },
    { target: good, route: route(hop('http-forward', odd.port, odd.host)) },
    { target: good, route: route(hop('socks5', odd.port, odd.host)) },
    { target: good, route: route(first, hop('socks5', odd.port, odd.host)) },
    { target: good, route: route(first, hop('http-connect', odd.port, odd.host)) },
  ];
}

/** Refusals that say "no" for a reason of the relay's own. A name nobody knows is not a refusal of anything. */
const REFUSALS = /^refused: (?:relay\.policy-denied|misuse\.bad-argument)$/;

async function expectNonePasses(relay: RelayProcess, bodies: readonly string[]): Promise<void> {
  const before = arrivals().length;
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let at = lane; at < bodies.length; at += 8) {
      const body = bodies[at] as string;
      expect(await tryRoad(relay, body), body).toMatch(REFUSALS);
    }
  });
  await Promise.all(lanes);
  expect(arrivals().slice(before)).toEqual([]);
}

describe('a spelling that is allowed passes, so that the ways of trying are known to work', () => {
  test('directly, by CONNECT, in absolute form, by SOCKS and over two proxies', async () => {
    const good = { host: LOOPBACK, port: control.port };
    const first = hop('http-connect', connectProxy.port);
    for (const relay of [wide, narrow]) {
      for (const hops of [[], [first], [hop('http-forward', forwardProxy.port)], [hop('socks5', socksProxy.port)]]) {
        expect(await tryRoad(relay, JSON.stringify({ target: good, route: { name: '', hops } }))).toBe('passed');
      }
      const chain = [first, hop('socks5', socksProxy.port)];
      expect(await tryRoad(relay, JSON.stringify({ target: good, route: { name: '', hops: chain } }))).toBe('passed');
      for (const name of ['srv1.corp', 'SRV1.Corp', 'a.lab.example', '8.8.8.8', 'fd00:1::9']) {
        const told = { target: { host: name, port: 5985 }, route: { name: '', hops: [first] } };
        if (relay === narrow) expect(await tryRoad(relay, JSON.stringify(told)), name).toBe('passed');
      }
    }
    expect(control.heard.length).toBe(2);
    expect(connectProxy.heard.join('')).toContain(`CONNECT 127.0.0.1:${control.port} HTTP/1.1`);
    expect(connectProxy.heard.join('')).toContain('CONNECT [fd00:1::9]:5985 HTTP/1.1');
    expect(socksProxy.heard.join('')).toContain('\x05\x01\0\x01\x7f\0\0\x01');
    tried.clear();
  });
});

describe('no other host is reached', () => {
  test('by any odd spelling, on any road, where only a few are allowed', async () => {
    const roads = (host: string) => roadsWith({ host, port: trap.port }).map((road) => JSON.stringify(road));
    await expectNonePasses(narrow, oddAddresses().flatMap(roads));
    await expectNonePasses(named, [...oddNames(), ...LOCAL_NAMES].flatMap(roads));
  }, 60_000);

  test('by any spelling of a special address, on any road, where everything public is allowed', async () => {
    // Where a spelling is also a public address or a name like any other, it may pass; that is what the rule says.
    const isName = (host: string) => /^[a-z0-9_.-]+$/i.test(host) && !/\d\.?$/.test(host) && !host.startsWith('0x');
    const odd = oddAddresses().filter((host) => !isName(host));
    // Half of the roads each: what differs from the test above is the rules, not the road.
    const bodies = odd.flatMap((host, at) =>
      roadsWith({ host, port: trap.port })
        .filter((_road, index) => index % 2 === at % 2)
        .map((road) => JSON.stringify(road)),
    );
    await expectNonePasses(wide, bodies);
  }, 60_000);

  test('by a name that means the proxy itself, or a cloud’s secrets, where every name is allowed', async () => {
    const told = (host: string) => roadsWith({ host, port: trap.port }).filter((road) => isToldToProxy(road, host));
    await expectNonePasses(
      wide,
      LOCAL_NAMES.flatMap(told).map((road) => JSON.stringify(road)),
    );
    // What /etc/hosts knows is resolved here, and judged.
    const direct = { target: { host: 'localhost', port: trap.port }, route: { name: '', hops: [] } };
    await expectNonePasses(wide, [JSON.stringify(direct)]);
  }, 60_000);

  test('by a name that resolves to a forbidden address', async () => {
    let asked = 0;
    const answers = oddAddresses().filter((text) => /^[0-9.]+$|^[0-9a-f:.]+$/i.test(text) && text !== '8.8.8.8');
    const own = await startTestRelay(
      { FAIRLEAD_TARGETS: '*:* 0.0.0.0/0:*', FAIRLEAD_PROXIES: '*:*', FAIRLEAD_DIALS_PER_MINUTE: '100000' },
      {
        resolve: async (name) => {
          asked += 1;
          const answer = answers[Number(name.slice(1).split('.')[0])] ?? '';
          return name.endsWith('both') ? ['8.8.8.8', answer] : [answer];
        },
      },
    );
    try {
      const cookie = await own.signIn();
      const relay = { base: own.base, cookie } as RelayProcess;
      const names = answers.flatMap((_, index) => [`n${index}.alone`, `n${index}.both`]);
      for (const host of names) {
        for (const road of [
          { target: { host, port: trap.port }, route: { name: '', hops: [] } },
          { target: { host: 'a.b', port: 1 }, route: { name: '', hops: [hop('socks5', trap.port, host)] } },
        ]) {
          expect(await tryRoad(relay, JSON.stringify(road)), host).toBe('refused: relay.policy-denied');
        }
      }
      expect(asked).toBe(names.length * 2); // a second answer might be another one
    } finally {
      await own.close();
    }
    expect(trap.heard).toEqual([]);
  }, 60_000);
});

function isToldToProxy(road: object, host: string): boolean {
  const { target, route } = road as { target: Place; route: { hops: Place[] } };
  return target.host === host ? route.hops.length > 0 : route.hops.length > 1;
}

describe('no other road is walked', () => {
  const json = (host: string, port: string, rest = '') => `{"target":{"host":"${host}","port":${port}${rest}}`;

  test('with an odd port', async () => {
    const bodies = ODD_PORTS.flatMap((port) => [
      `${json('srv1.corp', port)},"route":{"name":"","hops":[]}}`,
      `${json(LOOPBACK, port)},"route":{"name":"","hops":[{"kind":"http-connect","host":"${LOOPBACK}","port":${connectProxy.port}}]}}`,
      `${json(LOOPBACK, `${control.port}`)},"route":{"name":"","hops":[{"kind":"socks5","host":"${LOOPBACK}","port":${port}}]}}`,
    ]);
    await expectNonePasses(narrow, bodies);
  });

  test('with an odd shape', async () => {
    const good = `{"host":"${LOOPBACK}","port":${control.port}}`;
    const bad = `{"host":"${LOOPBACK}","port":${trap.port}}`;
    const one = (kind: string, more = '') => `{"kind":${kind},"host":"${LOOPBACK}","port":${connectProxy.port}${more}}`;
    const withHops = (...hops: string[]) => `{"target":${good},"route":{"name":"","hops":[${hops.join(',')}]}}`;
    const kinds = ['"socks4"', '"socks4a"', '"socks"', '"http"', '"https"', '"CONNECT"', '"direct"', '""', 'null', '1'];
    const plain = one('"http-connect"');
    await expectNonePasses(narrow, [
      ...kinds.map((kind) => withHops(one(kind))),
      ...['"HTTP-CONNECT"', '"http-connect "', '"http_connect"', '["http-connect"]'].map((kind) => withHops(one(kind))),
      withHops(one('"http-forward"'), plain),
      withHops(one('"http-forward"'), one('"http-forward"')),
      withHops(one('"http-forward"'), one('"socks5"')),
      withHops(one('"socks5"', ',"tls":true')),
      withHops(plain, plain, plain, plain, plain),
      withHops(one('"http-connect"', ',"tls":"yes"')),
      withHops(one('"http-connect"', `,"target":${bad}`)),
      withHops(one('"http-connect"', ',"credential":"a:b"')),
      withHops(one('"http-connect"', ',"via":"127.0.0.1"')),
      withHops('null'),
      withHops(`"${LOOPBACK}:${connectProxy.port}"`),
      withHops(`["http-connect","${LOOPBACK}",${connectProxy.port}]`),
      `{"target":${good},"route":{"name":"","hops":{"0":${plain},"length":1}}}`,
      `{"target":${good},"route":{"name":"","hops":[${one('"http-forward"')}]},"scheme":"https"}`,
      ...['"ftp"', '"HTTPS"', '"ws"', '"socks5"', '""', 'null', '["http"]'].map(
        (scheme) => `{"target":${good},"route":{"name":"","hops":[]},"scheme":${scheme}}`,
      ),
      `{"target":${good},"route":{"name":"","hops":[]},"target":${bad}}`,
      `{"target":${bad},"target":{"host":"${LOOPBACK}","port":${trap.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":"srv1.corp","host":"${LOOPBACK}","port":${trap.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":"${LOOPBACK}","port":${control.port},"port":${trap.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"__proto__":${good}},"route":{"name":"","hops":[]}}`,
      `{"target":{"__proto__":${bad},"host":"${LOOPBACK}","port":${trap.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":"${LOOPBACK}","port":${control.port},"zone":"lo"},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":["${LOOPBACK}"],"port":${control.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":2130706433,"port":${control.port}},"route":{"name":"","hops":[]}}`,
      `{"target":{"host":{"toString":"${LOOPBACK}"},"port":${control.port}},"route":{"name":"","hops":[]}}`,
      `{"target":"${LOOPBACK}:${control.port}","route":{"name":"","hops":[]}}`,
      `{"target":"http://${LOOPBACK}:${control.port}/","route":{"name":"","hops":[]}}`,
      `{"target":[${good},${bad}],"route":{"name":"","hops":[]}}`,
      `{"target":${good},"route":null}`,
      `{"target":${good},"route":[]}`,
      `{"target":${good}}`,
      `{"target":${good},"route":{"name":"","hops":[]},"dial":${bad}}`,
      `[{"target":${good},"route":{"name":"","hops":[]}}]`,
      `{"target":${good},"route":{"name":"","hops":[]}}{"target":${bad}}`,
      `{"target":${good},"route":{"name":"","hops":[]}},`,
      '',
      'null',
      '[]',
      '{}',
    ]);
  });
});

async function ticketFor(relay: RelayProcess, target: Place, hops: readonly object[] = []): Promise<string> {
  const { ticket } = await ask(relay, JSON.stringify({ target, route: { name: '', hops } }));
  if (ticket === null) throw new Error('no ticket');
  return ticket;
}

const dialled = async (relay: RelayProcess, message: unknown, cookie = relay.cookie): Promise<TestPipe> => {
  tried.add(typeof message === 'string' ? message : JSON.stringify(message));
  const pipe = await openTestPipe(relay.base, { Cookie: cookie });
  pipe.say(message);
  return pipe;
};

describe('a ticket opens one road once', () => {
  test('and no other word opens any', async () => {
    const target = { host: LOOPBACK, port: control.port };
    const bad = { host: LOOPBACK, port: trap.port };
    const ticket = await ticketFor(narrow, target);
    const used = await dialled(narrow, { type: 'dial', ticket });
    await used.until('opened');
    used.say({ type: 'dial', ticket: await ticketFor(narrow, target) }); // a second road on one socket
    expect(await used.untilClosed()).toBe(CLOSE_CODES.malformed);
    const fresh = await ticketFor(narrow, target);
    const next = (letter: string) => (letter === 'A' ? 'B' : 'A');
    const changed = [...fresh].map((letter, at) => `${fresh.slice(0, at)}${next(letter)}${fresh.slice(at + 1)}`);
    const refusedTickets = [ticket, ...changed, 'A'.repeat(43), [...fresh].reverse().join('')];
    for (const forged of refusedTickets) {
      const pipe = await dialled(narrow, { type: 'dial', ticket: forged });
      expect((await pipe.until('failed'))['code']).toBe('relay.ticket-refused');
    }
    const malformed: unknown[] = [
      ...['', fresh.slice(1), `${fresh}A`, ` ${fresh}`, `${fresh}=`, fresh.toLowerCase().padEnd(44, 'a'), `${fresh}\0`],
    ].map((word) => ({ type: 'dial', ticket: word }));
    malformed.push(
      { type: 'dial', ticket: fresh, target: bad },
      { type: 'dial', ticket: fresh, host: LOOPBACK, port: trap.port },
      { type: 'dial', ticket: fresh, resumable: false },
      { type: 'dial', ticket: [fresh] },
      { type: 'dial', ticket: null },
      { type: 'dial' },
      { type: 'dial', target: bad },
      { type: 'open', ticket: fresh },
      { type: 'DIAL', ticket: fresh },
      { ticket: fresh },
      [{ type: 'dial', ticket: fresh }],
      { type: 'answer', hop: 1, authorization: 'Basic YTpi' },
      { type: 'ack', count: 0 },
      { type: 'end' },
      { type: 'proof', received: 0, mac: 'A'.repeat(43) },
      `{"type":"dial","ticket":"${fresh}"}{"type":"dial"}`,
      'dial',
      '',
    );
    for (const message of malformed) {
      const pipe = await dialled(narrow, message);
      expect(await pipe.untilClosed(), JSON.stringify(message)).toBe(CLOSE_CODES.malformed);
    }
    for (const cookie of [
      '',
      narrow.cookie.slice(0, -1),
      `${narrow.cookie}A`,
      wide.cookie,
      narrow.cookie.toLowerCase(),
    ]) {
      tried.add(`cookie ${cookie}`);
      const pipe = await dialled(narrow, { type: 'dial', ticket: fresh }, cookie);
      expect(await pipe.untilClosed()).toBe(CLOSE_CODES.signInRequired);
      const road = JSON.stringify({ target, route: { name: '', hops: [] } });
      expect(await ask(narrow, road, cookie)).toMatchObject({ status: 401, ticket: null });
    }
    const bytesFirst = await openTestPipe(narrow.base, { Cookie: narrow.cookie });
    bytesFirst.socket.send(Buffer.from(`CONNECT ${LOOPBACK}:${trap.port} HTTP/1.1\r\n\r\n`));
    expect(await bytesFirst.untilClosed()).toBe(CLOSE_CODES.malformed);
    expect(trap.heard).toEqual([]);
    // It was never spent: what it names, it still opens.
    await (await dialled(narrow, { type: 'dial', ticket: fresh })).until('opened');
  }, 30_000);

  test('over HTTP requests as well', async () => {
    const turn = (verb: string, link: string, body?: Uint8Array<ArrayBuffer>) =>
      fetch(`${narrow.base}${HTTP_PIPE_PATH}`, {
        method: 'POST',
        headers: { Origin: narrow.base, Cookie: narrow.cookie, [TURN_HEADER]: verb, [LINK_HEADER]: link },
        ...(body === undefined ? {} : { body }),
      });
    const say = async (text: string) => {
      const link = await (await turn('open', '')).text();
      await turn('up 0', link, encodeFrames([{ kind: 'text', text }]));
      const frames = decodeFrames(new Uint8Array(await (await turn('down 0', link)).arrayBuffer())) ?? [];
      return JSON.stringify(frames.map((frame) => (frame.kind === 'text' ? JSON.parse(frame.text) : frame)));
    };
    const target = { host: LOOPBACK, port: control.port };
    const ticket = await ticketFor(narrow, target);
    expect(await say(JSON.stringify({ type: 'dial', ticket }))).toContain('"hop"');
    tried.add(`again over HTTP ${ticket}`);
    expect(await say(JSON.stringify({ type: 'dial', ticket }))).toContain('relay.ticket-refused');
    for (const text of [`{"type":"dial","ticket":"${'B'.repeat(43)}"}`, '{"type":"dial","target":{}}', 'CONNECT a:1']) {
      tried.add(`over HTTP ${text}`);
      expect(await say(text)).toMatch(/relay\.ticket-refused|"code":4400/);
    }
    expect(trap.heard).toEqual([]);
  });
});

/** Sends bytes to the relay's own port; what comes back until it closes, or says nothing for a moment. */
function rawBytes(relay: RelayProcess, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(relay.base).port), LOOPBACK, () =>
      socket.write(Buffer.from(bytes, 'latin1')),
    );
    let answer = '';
    socket.setTimeout(300, () => socket.destroy());
    socket.on('data', (more) => {
      answer += more.toString('latin1');
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

describe('the relay’s own port is no proxy', () => {
  test('for CONNECT, absolute form, SOCKS and the byte socket’s URL', async () => {
    const authorities = ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]', '0'];
    const port = new URL(wide.base).port;
    const own = `Host: 127.0.0.1:${port}\r\nCookie: ${wide.cookie}\r\nOrigin: ${wide.base}\r\n`;
    const upgrade =
      'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    const attempts = authorities.flatMap((host) => {
      const at = `${host}:${trap.port}`;
      return [
        `CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\n`,
        `CONNECT ${at} HTTP/1.0\r\n\r\n`,
        `CONNECT ${at} HTTP/1.1\r\n${own}\r\n`,
        `connect ${at} HTTP/1.1\r\n${own}\r\n`,
        `GET http://${at}/ HTTP/1.1\r\nHost: ${at}\r\n\r\n`,
        `GET http://${at}/ HTTP/1.1\r\n${own}\r\n`,
        `POST http://${at}/wsman HTTP/1.1\r\n${own}Content-Length: 0\r\n\r\n`,
        `GET //${at}/ HTTP/1.1\r\n${own}\r\n`,
        `GET /\\${at}/ HTTP/1.1\r\n${own}\r\n`,
        `GET /http://${at}/ HTTP/1.1\r\n${own}\r\n`,
        `TRACE http://${at}/ HTTP/1.1\r\n${own}\r\n`,
        `OPTIONS * HTTP/1.1\r\nHost: ${at}\r\n\r\n`,
        `GET http://${at}/\r\n`,
        `GET ${PIPE_PATH}?target=${at} HTTP/1.1\r\n${own}${upgrade}\r\n`,
        `GET ${PIPE_PATH}/${at} HTTP/1.1\r\n${own}${upgrade}\r\n`,
        `GET http://${at}${PIPE_PATH} HTTP/1.1\r\n${own}${upgrade}\r\n`,
        `GET ${PIPE_PATH} HTTP/1.1\r\nHost: ${at}\r\nCookie: ${wide.cookie}\r\nOrigin: http://${at}\r\n${upgrade}\r\n`,
        `GET /api/status HTTP/1.1\r\n${own}X-Forwarded-Host: ${at}\r\nForwarded: host="${at}"\r\n\r\n`,
      ];
    });
    const [high, low] = [trap.port >> 8, trap.port & 255].map((byte) => String.fromCharCode(byte));
    attempts.push(
      `\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01${high}${low}`,
      `\x05\x01\0\x05\x01\0\x03\x09localhost${high}${low}`,
      `\x04\x01${high}${low}\x7f\0\0\x01user\0`,
      `\x04\x01${high}${low}\0\0\0\x01user\0localhost\0`,
      `PROXY TCP4 127.0.0.1 127.0.0.1 1 ${trap.port}\r\nGET / HTTP/1.1\r\n${own}\r\n`,
    );
    for (let at = 0; at < attempts.length; at += 16) {
      const answers = await Promise.all(attempts.slice(at, at + 16).map((bytes) => rawBytes(wide, bytes)));
      answers.forEach((answer, index) => {
        const bytes = attempts[at + index] as string;
        tried.add(bytes);
        expect(answer, bytes).not.toContain(GREETING);
        if (/^connect/i.test(bytes)) expect(answer, bytes).not.toMatch(/^HTTP\/1\.[01] 2/);
      });
    }
    expect(trap.heard).toEqual([]);
  }, 30_000);
});

const SEALED_TYPE =
  'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"';
const SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>';

function sealedBody(): string {
  const parts = [
    'Content-Type: application/HTTP-SPNEGO-session-encrypted\r\nOriginalContent: type=application/soap+xml;charset=UTF-8;Length=600\r\n',
    `Content-Type: application/octet-stream\r\n\x10\0\0\0${'\xa5'.repeat(616)}`,
  ];
  return `${parts.map((part) => `--Encrypted Boundary\r\n${part}`).join('')}--Encrypted Boundary--\r\n`;
}

/** Requests that must not pass a forwarding road to `at`; each is good but for one thing. */
function evilRequests(at: string, elsewhere: string): string[] {
  const line = `POST http://${at}/wsman HTTP/1.1\r\n`;
  const host = `Host: ${at}\r\n`;
  const head = `${line}${host}`;
  const empty = 'Content-Length: 0\r\n\r\n';
  const good = `${head}${empty}`;
  const sealed = sealedBody();
  const typed = (type: string, body: string) =>
    `${head}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const lines = [
    ...['GET', 'PUT', 'HEAD', 'TRACE', 'OPTIONS', 'DELETE', 'PATCH', 'CONNECT', 'post', 'POST '].map((method) =>
      line.replace('POST', method),
    ),
    ...[elsewhere, `${at}@${elsewhere}`, `user@${at}`, `${at}.`, `${at}#@${elsewhere}`, `${at}?@${elsewhere}`].map(
      (to) => line.replace(at, to),
    ),
    ...[`${at}\\@${elsewhere}`, `${at}%40${elsewhere}`, `${at}%00`, `${at},${elsewhere}`, `${at};`, `0${at}`].map(
      (to) => line.replace(at, to),
    ),
    ...[
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '[::ffff:127.0.0.1]',
      '[::1]',
      'localhost',
      '127.0.0.1.',
    ].map((other) => line.replace(LOOPBACK, other)),
    ...[':0', ':', ':00080', ':+80', ''].map((port) => line.replace(/:\d+\/wsman/, `${port}/wsman`)),
    ...[
      '/',
      '/admin',
      '/wsman/../admin',
      '/wsman/%2e%2e/x',
      '/wsman;x',
      '/WSMAN',
      '//wsman',
      '/wsman#x',
      '/wsman\\x',
    ].map((path) => line.replace('/wsman', path)),
    ...['https:', 'ftp:', 'HTTP:', 'file:', ''].map((scheme) => line.replace('http:', scheme)),
    line.replace(`http://${at}`, ''),
    line.replace('1.1', '1.0'),
    line.replace('1.1', '2.0'),
    line.replace('1.1', '1.1 '),
    line.replace('HTTP/1.1', 'http/1.1'),
    line.replace('\r\n', '\n'),
    line.replace('\r\n', '\r'),
    line.replace(' HTTP/1.1', ''),
    line.replace('POST ', 'POST\t'),
    line.replace(' HTTP', '\0 HTTP'),
    line.replace(' HTTP', `\r\nHost: ${elsewhere}\r\nX: HTTP`),
    `\r\n${line}`,
    ` ${line}`,
    `\x16\x03\x01${line}`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${line}`,
    `CONNECT ${at} HTTP/1.1\r\n`,
    `CONNECT ${elsewhere} HTTP/1.1\r\n`,
  ].map((first) => `${first}${host}${empty}`);
  const fields = [
    `Host: ${elsewhere}\r\n`,
    `${host}${host}`,
    `${host}Host: ${elsewhere}\r\n`,
    `Host: ${at}, ${elsewhere}\r\n`,
    `Host : ${at}\r\n`,
    `Host:\r\n ${at}\r\n`,
    `Host: ${at}\r\n ${elsewhere}\r\n`,
    `Host: ${at}\0\r\n`,
    `Host: ${at}\n`,
    `Host: user@${at}\r\n`,
    'Host:\r\n',
    '',
    ...['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding:\tchunked', 'TE: trailers'],
    ...['transfer-encoding : chunked', 'Transfer-Encoding\0: chunked', 'X: y\r\n\tTransfer-Encoding: chunked'],
    ...['Content-Length: 5', 'Content-Length: 0', 'Upgrade: h2c', 'Upgrade: websocket', 'Expect: 100-continue'],
    ...['Connection: Host', 'Connection: close, Host', 'Connection: Upgrade', 'Proxy-Connection: x', 'Keep-Alive: 5'],
    ...['Proxy-Authorization: Basic YTpi', 'Authorization: Basic YTpi', 'Authorization: CredSSP YTpi', 'Trailer: Host'],
    ...['Authorization: Negotiate', 'Authorization: Bearer x', 'Authorization: NTLM YQ==, Basic YTpi', 'Cookie: a=b'],
    ...[
      `X-Forwarded-Host: ${elsewhere}`,
      `Forwarded: host=${elsewhere}`,
      'X-HTTP-Method-Override: GET',
      'Max-Forwards: 0',
    ],
    ...[
      'X-Original-URL: /admin',
      'Via: 1.1 x',
      'SOAPAction: x',
      'Range: bytes=0-1',
      'Content-Encoding: gzip',
      ': x',
      'x',
    ],
  ].map((field) => {
    const isHost = /^Host|^$/.test(field);
    return isHost ? `${line}${field}${empty}` : `${head}${field}\r\n${empty}`;
  });
  const lengths = [
    '+0',
    '-0',
    '00',
    '0x0',
    '0, 0',
    '0 0',
    '0;',
    '',
    '1e1',
    '99999999',
    '18446744073709551616',
    '٠',
  ].map((length) => `${head}Content-Length: ${length}\r\n\r\n`);
  const bodies = [
    typed('application/soap+xml;charset=UTF-8', SOAP),
    typed('application/json', '{}'),
    typed(SEALED_TYPE, SOAP),
    typed(SEALED_TYPE, `--Encrypted Boundary\r\n${SOAP}`),
    typed(SEALED_TYPE.replace('SPNEGO', 'Plain'), sealed),
    typed(SEALED_TYPE.replace('encrypted;', 'mixed;'), sealed),
    typed(SEALED_TYPE, sealed.replace('octet-stream', 'soap+xml')),
    typed(SEALED_TYPE, sealed.replace('OriginalContent', 'Originalcontent2')),
    `${head}Content-Length: ${SOAP.length}\r\n\r\n${SOAP}`,
    `${head}\r\n${SOAP}`,
    `${good}${good}`,
    `${good}GET http://${elsewhere}/ HTTP/1.1\r\nHost: ${elsewhere}\r\n\r\n`,
    `${good}CONNECT ${elsewhere} HTTP/1.1\r\n\r\n`,
    `${typed(SEALED_TYPE, sealed)}${good}`,
    `${typed(SEALED_TYPE, sealed)}x`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${good}`,
    `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${good}`,
    `\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x50\r\n\r\n`,
    'a'.repeat(70_000),
  ];
  return [...lines, ...fields, ...lengths, ...bodies];
}

async function until(isSo: () => boolean, what = ''): Promise<void> {
  for (let turn = 0; turn < 1000 && !isSo(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isSo(), what).toBe(true);
}

describe('a forwarding road carries sealed requests to its target', () => {
  const openForward = async (): Promise<TestPipe> => {
    const target = { host: LOOPBACK, port: control.port };
    const ticket = await ticketFor(narrow, target, [hop('http-forward', forwardProxy.port)]);
    const pipe = await openTestPipe(narrow.base, { Cookie: narrow.cookie });
    pipe.say({ type: 'dial', ticket });
    await pipe.until('opened');
    return pipe;
  };
  test('and those arrive unchanged', async () => {
    const at = `${LOOPBACK}:${control.port}`;
    const sealed = sealedBody();
    const head = `POST http://${at}/wsman HTTP/1.1\r\nHost: ${at}\r\n`;
    const requests = [
      `${head}Authorization: Negotiate YIIB\r\nContent-Length: 0\r\n\r\n`,
      `${head}Content-Type: ${SEALED_TYPE}\r\nContent-Length: ${sealed.length}\r\n\r\n${sealed}`,
    ];
    const index = forwardProxy.heard.length;
    const pipe = await openForward();
    for (const text of requests) pipe.socket.send(Buffer.from(text, 'latin1'));
    await until(() => forwardProxy.heard[index] === requests.join(''));
    pipe.socket.terminate();
  });

  test('and nothing of any other, whole or byte by byte', async () => {
    const evil = evilRequests(`${LOOPBACK}:${control.port}`, `${LOOPBACK}:${trap.port}`);
    expect(new Set(evil).size).toBe(evil.length);
    const index = forwardProxy.heard.length;
    for (const [at, text] of evil.entries()) {
      tried.add(text);
      const pipe = await openForward();
      const bytes = Buffer.from(text, 'latin1');
      const isDripped = at % 4 === 0 && text.indexOf('\r\n\r\n') === text.length - 4; // one head, nothing after it
      for (const piece of isDripped ? bytes : [bytes]) {
        pipe.socket.send(typeof piece === 'number' ? Buffer.of(piece) : piece);
      }
      if (!/\r\n\r\n|^a{9}/.test(text)) pipe.socket.send(Buffer.from('\r\n\r\n'));
      await until(() => pipe.said.some(({ type }) => type === 'failed'), text);
      const failed = await pipe.until('failed');
      expect(failed['code'], text).toBe('proxy.forward-refused');
      pipe.socket.terminate();
    }
    expect(forwardProxy.heard.slice(index).join('')).toBe('');
    expect(forwardProxy.heard.length).toBe(index + evil.length);
    expect(trap.heard).toEqual([]);
  }, 60_000);
});

describe('a road behind a proxy that was signed in to', () => {
  test('carries a handshake of TLS and records, and nothing else: R5', async () => {
    const hops = [hop('http-connect', askingProxy.port)];
    const open = async (): Promise<TestPipe> => {
      const target = { host: LOOPBACK, port: control.port };
      const road = JSON.stringify({ target, route: { name: '', hops }, scheme: 'https' });
      const pipe = await openTestPipe(narrow.base, { Cookie: narrow.cookie });
      pipe.say({ type: 'dial', ticket: (await ask(narrow, road)).ticket });
      await pipe.until('challenge');
      pipe.say({ type: 'answer', hop: 1, authorization: 'Basic YTpi' });
      await pipe.until('opened');
      return pipe;
    };
    const hello = '\x16\x03\x01\0\x05\x01\0\0\x01\0';
    const good = await open();
    good.socket.send(Buffer.from(hello, 'latin1'));
    await until(() => askingProxy.heard.some((heard) => heard.endsWith(hello)));
    good.socket.terminate();
    const post = `POST /wsman HTTP/1.1\r\nHost: ${LOOPBACK}\r\nContent-Length: 0\r\n\r\n`;
    const first = askingProxy.heard.length;
    for (const bytes of [
      ...[post, `\x16${post}`, `\x16\x03\x01${post}`, `\x16\x03\x01\0\x01${post}`, `${hello}${post}`],
      ...[`\x17\x03\x03\0\x05${post}`, `\x15\x03\x03\0\x02\x01\0${post}`, '\x80\x2e\x01\x03\x01', '\x05\x01\0'],
      ...[`\x16\x03\x01\0\0${post}`, `\x16\x02\x01\0\x05${post}`, `\x16\x03\x01\xff\xff${post}`, '\r\n\r\n', '\0'],
      ...[`CONNECT ${LOOPBACK}:${trap.port} HTTP/1.1\r\n\r\n`, 'SSH-2.0-x\r\n', `${hello}CONNECT x:1 HTTP/1.1\r\n\r\n`],
    ]) {
      tried.add(`where TLS was said: ${bytes}`);
      const pipe = await open();
      pipe.socket.send(Buffer.from(bytes, 'latin1'));
      await until(() => pipe.said.some(({ type }) => type === 'failed'), bytes);
      expect((await pipe.until('failed'))['code'], bytes).toBe('proxy.forward-refused');
      pipe.socket.terminate();
    }
    for (const heard of askingProxy.heard.slice(first))
      expect(heard).toMatch(/^CONNECT [\s\S]+?\r\n\r\nCONNECT [\s\S]+\r\n\r\n$/);
    expect(askingProxy.heard.slice(first).join('')).not.toContain('POST');
  }, 30_000);
});

test('at least 300 forbidden ways were tried, and at least 300 spellings of hosts among them', () => {
  expect(oddHosts().length).toBeGreaterThanOrEqual(300);
  expect(tried.size).toBeGreaterThanOrEqual(4000);
});
