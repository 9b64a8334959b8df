import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { defaultPlatform } from '../../protocol/src/adapters/default-platform.ts';
import { nodeDialer } from '../../protocol/src/adapters/node-socket.ts';
import { parseCredential } from '../../protocol/src/auth/credential.ts';
import { utf8Decode } from '../../protocol/src/bytes/bytes.ts';
import { walkRoad } from '../../protocol/src/road/walk.ts';
import { Session } from '../../protocol/src/session/session.ts';
import { thumbprintsOf } from './certificate.ts';
import { type Demo, startDemo } from './demo.ts';

let demo: Demo | null = null;

afterEach(() => demo?.close());

function session(place: Demo['place'], password: string): Session {
  const { target, route, user } = place;
  return new Session({
    target: { scheme: 'http', path: '/wsman', ...target },
    policy: 'negotiate',
    credential: parseCredential(user, password),
    openRoad: (_lane, onHop, signal) =>
      walkRoad({ route, target, dial: nodeDialer, onHop, signal, platform: defaultPlatform }),
    platform: defaultPlatform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
}

test('the demo: a session through the proxy, one tunnel, one connection and one handshake per lane', async () => {
  let crossed = '';
  demo = await startDemo({ onBytes: (_direction, bytes) => (crossed += Buffer.from(bytes).toString('latin1')) });
  demo.admit('a password');
  const { place, host, proxy } = demo;
  const open = session(place, 'a password');
  await open.open();
  let text = '';
  const reading = (async () => {
    for await (const { bytes } of open.output) text += utf8Decode(bytes);
  })();
  await open.writeText('cd /\r\n');
  await open.writeText('echo the secret word is in %CD%\r\n');
  await expect.poll(() => text).toContain('\r\nthe secret word is in /\r\n');
  await open.writeText('sleep 100\r\n');
  await expect.poll(() => text).toContain('sleep 100\r\n');
  await open.interrupt();
  await expect.poll(() => text).toContain('^C\r\n');
  await open.writeText('exit 258\r\n');
  expect((await open.exit).signed).toBe(2); // a Linux process has eight bits for it
  await reading;
  await open.close();
  expect(host.shellCount).toBe(0);
  expect(host.journal.connections()).toMatchObject([{ handshakeCount: 1 }, { handshakeCount: 1 }]);
  expect(proxy.journal.filter((entry) => entry.event === 'tunnel')).toHaveLength(2);
  expect(crossed).not.toContain('secret word');
  expect(crossed).not.toContain('a password');
});

test('the demo offers TLS beside it, through the same proxy, with a certificate that lasts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-demo-'));
  const certificateFile = join(folder, 'demo-cert.pem');
  const first = await startDemo({ certificateFile });
  demo = first;
  const { host, port } = first.place.https.target;
  expect(port).toBe(first.host.https?.port);
  first.admit('a password');
  const [hop] = first.place.route.hops;
  const tunnel = await tunnelThrough(hop?.port ?? 0, `${host}:${port}`);
  const secure = connectTls({ socket: tunnel, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  const shown = thumbprintsOf(secure.getPeerX509Certificate()?.toString() ?? '');
  expect(shown).toEqual(first.host.https?.thumbprints);
  secure.destroy();
  await first.close();
  demo = await startDemo({ certificateFile });
  expect(demo.host.https?.thumbprints).toEqual(shown);
  await demo.close();
  demo = await startDemo();
  expect(demo.host.https?.thumbprints).not.toEqual(shown);
  rmSync(folder, { recursive: true });
});

async function tunnelThrough(proxyPort: number, target: string): Promise<Socket> {
  const socket = connect(proxyPort, '127.0.0.1');
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  expect(reply.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

test('the demo lets nobody in before it was told a password', async () => {
  demo = await startDemo();
  const early = session(demo.place, 'guess');
  await expect(early.open()).rejects.toMatchObject({ code: 'auth.rejected' });
  await early.close();
  expect(() => demo?.admit('')).toThrow(RangeError);
});
