import { type Hop, isWinRmError, parseTarget, readCertificates, type TrustPolicy } from '@fairlead/protocol';
import { relayRoad } from '@fairlead/protocol/relay';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorWords } from '../../packages/cli/src/error-block.ts';
import { startTestRelay } from '../../relay/src/test-kit.ts';
import {
  type GssServer,
  type GssServerOptions,
  PROXY_ONLY_NAME,
  type ProxyPeer,
  RIG_ACCOUNT,
  RIG_BASIC_ACCOUNT,
  startGssServer,
  startProxy,
} from '../peers/peers.ts';
import { startTap } from '../tap.ts';
import { startMovingInspector } from './moving-inspector.ts';
import { connectionsOf, makeRun, runOnce } from './run-session.ts';

const ALL_STREAMS = { command: 'cat; printf err >&2; exit 7', input: 'in and out' };
const SEEN_ALL = { stdout: 'in and out', stderr: 'err', exit: { signed: 7, unsigned: 7 } };
const BASIC = { policy: 'basic', user: RIG_BASIC_ACCOUNT.user, password: RIG_BASIC_ACCOUNT.password } as const;

let squid: ProxyPeer;
let inspector: ProxyPeer;
beforeAll(async () => {
  [squid, inspector] = await Promise.all([startProxy('squid'), startProxy('squid-bump')]);
});
afterAll(() => Promise.all([squid?.stop(), inspector?.stop()]));

const servers: GssServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function start(options: GssServerOptions): Promise<{ server: GssServer; target: string; pinned: TrustPolicy }> {
  const server = await startGssServer(options);
  servers.push(server);
  const { port = 0, sha256 = '' } = server.tls ?? {};
  const pinned = { roots: [], pins: [{ sha256, issuer: 'CN=localhost', sinceMs: 0 }] };
  return { server, target: `https://127.0.0.1:${port}`, pinned };
}

function through(proxy: { readonly port: number }, kind: Hop['kind'] = 'http-connect'): Hop[] {
  return [{ kind, host: '127.0.0.1', port: proxy.port }];
}

/** What the server says about the channel binding of each sign-in. */
function boundOf(server: GssServer): unknown[] {
  return server.log().flatMap((event) => (event.ev === 'auth' && event['ok'] === true ? [event['bound']] : []));
}

describe('a session with the GSS-API server over https', () => {
  it.each(['none', 'relaxed', 'strict'] as const)('signs in bound to the certificate (%s)', async (cbt) => {
    const { server, target, pinned } = await start({ cbt });
    for (const policy of ['negotiate', 'negotiate-raw'] as const) {
      expect(await runOnce({ target, trust: pinned, policy, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    }
    const isBound = cbt !== 'none'; // without a binding of its own the server sees none
    expect(boundOf(server)).toEqual([isBound, isBound, isBound, isBound]);
    for (const { handshakes, failures } of connectionsOf(server)) expect([handshakes, failures]).toEqual([1, 0]);
  });

  it('carries plain envelopes inside TLS, and sealed ones with seal "always"', async () => {
    const { server, target, pinned } = await start({ cbt: 'strict' });
    expect(await runOnce({ target, trust: pinned, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    expect(connectionsOf(server).flatMap(({ actions }) => actions)).toEqual([]);
    expect(await runOnce({ target, trust: pinned, seal: 'always', ...ALL_STREAMS })).toEqual(SEEN_ALL);
    expect(connectionsOf(server).flatMap(({ actions }) => actions)).toContain('Receive');
  });

  it('signs in with Basic, with three requests to the first output', async () => {
    const { server, target, pinned } = await start({ cbt: 'strict' });
    expect(await runOnce({ target, trust: pinned, ...BASIC, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    const output = connectionsOf(server).find(({ requestsToFirstReceive }) => requestsToFirstReceive > 0);
    expect(output?.requestsToFirstReceive).toBe(3);
  });

  it('trusts it as a root as well, and carries five megabytes unharmed', async () => {
    const { server, target } = await start({ cbt: 'relaxed' });
    const roots = readCertificates(Buffer.from(server.tls?.certificate ?? ''));
    const command = 'seq -f "%08g abcdefghijklmnopqrstuvwxyz" 1 150000';
    const { stdout } = await runOnce({ target, trust: { roots, pins: [] }, command });
    expect(stdout.length).toBe(150_000 * 36);
    expect(stdout.endsWith('00150000 abcdefghijklmnopqrstuvwxyz\n')).toBe(true);
  });

  it('loses nothing when the server closes each connection after five requests', async () => {
    const { server, target, pinned } = await start({ cbt: 'strict', closeAfter: 5 });
    const command = 'for i in $(seq 1 40); do echo line $i; sleep 0.03; done; exit 3';
    const { stdout, exit } = await runOnce({ target, trust: pinned, command });
    expect(stdout).toBe(Array.from({ length: 40 }, (_, i) => `line ${i + 1}\n`).join(''));
    expect(exit.unsigned).toBe(3);
    expect(connectionsOf(server).length).toBeGreaterThan(2);
  });

  it('keeps folder and variables between the lines of an interactive shell', async () => {
    const { target, pinned } = await start({ cbt: 'strict' });
    const shell = { kind: 'interactive', consoleStdin: true } as const;
    const { session, finish } = makeRun({ target, trust: pinned, command: '', shell });
    await session.open();
    for (const line of ['cd /usr', 'set COLOUR=green', 'echo %COLOUR% here', 'exit 5']) {
      await session.writeText(`${line}\r\n`);
    }
    const { stdout, exit } = await finish();
    await session.close();
    expect(exit.unsigned).toBe(5);
    expect(Buffer.from(stdout).toString('utf8')).toContain('green here');
  });

  it('says auth.rejected for a wrong password and never tries it again', async () => {
    const { server, target, pinned } = await start({ cbt: 'strict' });
    for (const policy of ['negotiate', 'basic'] as const) {
      const run = runOnce({ target, trust: pinned, policy, command: 'true', password: 'wrong' });
      await expect(run).rejects.toMatchObject({ code: 'auth.rejected' });
    }
    expect(connectionsOf(server)).toHaveLength(2);
  });

  it('refuses it without a pin or a root: tls.untrusted; and says tls.not-tls at its http port', async () => {
    const { server, target } = await start({ cbt: 'strict' });
    await expect(runOnce({ target, command: 'true' })).rejects.toMatchObject({ code: 'tls.untrusted' });
    const http = `https://127.0.0.1:${server.port}`;
    await expect(runOnce({ target: http, command: 'true' })).rejects.toMatchObject({ code: 'tls.not-tls' });
    expect(server.log().filter(({ ev }) => ev === 'auth')).toEqual([]);
  });
});

describe('through proxies', () => {
  it('passes a strict server through Squid with CONNECT, also by a name only the proxy knows', async () => {
    const { server, target, pinned } = await start({ cbt: 'strict' });
    for (const to of [target, `https://${PROXY_ONLY_NAME}:${server.tls?.port}`]) {
      expect(await runOnce({ target: to, hops: through(squid), trust: pinned, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    }
    expect(boundOf(server)).toEqual([true, true, true, true]);
  });

  it('is not asked to carry https in absolute form: misuse.bad-argument', async () => {
    const { target, pinned } = await start({ cbt: 'strict' });
    const run = runOnce({ target, hops: through(squid, 'http-forward'), trust: pinned, command: 'true' });
    await expect(run).rejects.toMatchObject({ code: 'misuse.bad-argument', details: { reason: 'forward-needs-http' } });
  });
});

describe('through a proxy that opens TLS', () => {
  it('meets the pin first: tls.intercepted, and nothing is sent', async () => {
    const { server, target, pinned } = await start({ cbt: 'none' });
    for (const account of [{}, BASIC]) {
      const run = runOnce({ target, hops: through(inspector), trust: pinned, command: 'true', ...account });
      await expect(run).rejects.toMatchObject({
        code: 'tls.intercepted',
        details: { issuer: expect.stringContaining('rig-bump-ca'), pinnedIssuer: 'CN=localhost' },
      });
    }
    expect(server.log().filter(({ ev }) => ev === 'request')).toEqual([]);
  });

  it.each(['relaxed', 'strict'] as const)(
    'is refused by a %s server where its own authority is trusted: auth.binding-refused',
    async (cbt) => {
      const { server } = await start({ cbt });
      // By an address its certificates would have a wrong name.
      const target = `https://${PROXY_ONLY_NAME}:${server.tls?.port}`;
      const roots = readCertificates(Buffer.from(inspector.read('ca.pem')));
      const run = runOnce({ target, hops: through(inspector), trust: { roots, pins: [] }, command: 'true' });
      await expect(run).rejects.toMatchObject({
        code: 'auth.binding-refused',
        details: { issuer: expect.stringContaining('rig-bump-ca'), user: 'ntuser' },
        cause: { code: 'auth.rejected' },
      });
      expect(connectionsOf(server).flatMap(({ actions }) => actions)).toEqual([]);
    },
  );

  it('reads everything where the server asks for no binding and its authority is trusted: that is what trust means', async () => {
    // QUIRK: Squid 5.7 moves a sign-in to another server connection when the answer to a leg overtakes its own note that
    // the leg was written (src/http.cc, statusIfComplete: "Request not yet fully sent"). That needs a socket that is
    // readable before anything was asked, as it is while the session tickets of TLS 1.3 arrive.
    const { server } = await start({ cbt: 'none', hasNoTickets: true });
    const target = `https://${PROXY_ONLY_NAME}:${server.tls?.port}`;
    const roots = readCertificates(Buffer.from(inspector.read('ca.pem')));
    const run = { target, hops: through(inspector), trust: { roots, pins: [] } };
    expect(await runOnce({ ...run, ...ALL_STREAMS })).toEqual(SEEN_ALL);
  });

  it('and puts the legs on different connections leaves a doubt about it, not about the password alone: R8, R23', async () => {
    const { server } = await start({ cbt: 'none' });
    const mover = await startMovingInspector(PROXY_ONLY_NAME);
    try {
      const target = `https://${PROXY_ONLY_NAME}:${server.tls?.port}`;
      const roots = readCertificates(Buffer.from(mover.authority));
      const pins = [{ sha256: mover.sha256, issuer: 'CN=Moving Inspector CA', sinceMs: 0 }];
      // With a pin too: whoever adds a Via inside TLS reads along, and the certificate is not the host's own.
      for (const trust of [
        { roots, pins: [] },
        { roots: [], pins },
      ]) {
        const before = connectionsOf(server).length;
        const run = runOnce({ target, hops: through(mover), trust, command: 'true' });
        const error = await run.catch((problem: unknown) => problem);
        expect(error).toMatchObject({ code: 'auth.binding-refused', cause: { code: 'auth.rejected' } });
        const { message } = errorWords(error);
        expect(message).toContain('The password may be wrong');
        expect(message).toContain('on different connections');
        // One leg on each, and one attempt.
        expect(connectionsOf(server)).toHaveLength(before + 2);
      }
    } finally {
      await mover.stop();
    }
  });
});

describe('what relay and proxy carry', () => {
  it('R29: shows neither password nor command nor output, with Basic and with Negotiate', async () => {
    const { server } = await start({ cbt: 'strict' });
    const [toServer, toProxy] = await Promise.all([startTap(server.tls?.port ?? 0), startTap(squid.port)]);
    const relay = await startTestRelay({
      FAIRLEAD_TARGETS: '127.0.0.1:*',
      FAIRLEAD_PROXIES: `127.0.0.1:${toProxy.port}`,
    });
    const handed: Uint8Array[] = [];
    try {
      const cookie = await relay.signIn();
      const { target } = parseTarget(`https://127.0.0.1:${toServer.port}`);
      class PageSocket extends WebSocket {
        constructor(url: string | URL) {
          // What a browser adds by itself; Node's WebSocket takes it in the place of protocols.
          const init: object = { headers: { Origin: relay.base, Cookie: cookie } };
          super(url, init as string[]);
        }
      }
      const carried = relayRoad({
        origin: relay.base,
        ticket: () => relay.ticket(cookie, { host: target.host, port: target.port }, through(toProxy)),
        WebSocket: PageSocket as typeof WebSocket,
      });
      const { sha256 = '' } = server.tls ?? {};
      const trust = { roots: [], pins: [{ sha256, issuer: 'CN=localhost', sinceMs: 0 }] };
      for (const account of [BASIC, {}]) {
        const ended = await runOnce({
          target: `https://127.0.0.1:${toServer.port}`,
          trust,
          openRoad: async (lane, onHop, signal) => {
            const road = await carried(lane, onHop, signal);
            return { ...road, stream: listened(road.stream, handed) };
          },
          command: 'read typed; echo "quartz $typed"',
          input: 'marmalade\n',
          ...account,
        });
        expect(ended.stdout).toBe('quartz marmalade\n');
      }
      const wires = [Buffer.concat(handed), toProxy.captured(), toServer.captured()];
      const basic = Buffer.from(`${BASIC.user}:${BASIC.password}`).toString('base64');
      for (const wire of wires) {
        expect(wire.length).toBeGreaterThan(5000);
        const text = wire.toString('latin1');
        for (const word of ['quartz', 'marmalade', 'Envelope', 'Authorization', 'NTLMSSP', basic]) {
          expect(text).not.toContain(word);
        }
        for (const secret of [BASIC.password, RIG_ACCOUNT.password, BASIC.user]) {
          expect(text).not.toContain(secret);
          expect(text).not.toContain(Buffer.from(secret, 'utf16le').toString('latin1'));
          expect(text).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
        }
      }
      expect(toProxy.captured().toString('latin1')).toContain('CONNECT 127.0.0.1:');
    } finally {
      await Promise.all([relay.close(), toServer.close(), toProxy.close()]);
    }
  });
});

type Stream = Awaited<ReturnType<ReturnType<typeof relayRoad>>>['stream'];

/** The same stream; what it carries is what the relay is handed. */
function listened(stream: Stream, heard: Uint8Array[]): Stream {
  return {
    label: stream.label,
    read: async (signal) => {
      const bytes = await stream.read(signal);
      if (bytes !== null) heard.push(bytes);
      return bytes;
    },
    write: (bytes, signal) => {
      heard.push(bytes);
      return stream.write(bytes, signal);
    },
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(isWinRmError(reason) ? reason : undefined),
  };
}
