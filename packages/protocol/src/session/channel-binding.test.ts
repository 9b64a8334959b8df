import { createHash, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { toHex } from '../bytes/bytes.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { type FrontIdentity, tlsFront } from '../testing/tls-front.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

/** [MS-NLMP] 2.2.2.1 MsvAvChannelBindings of a certificate, written apart from ours: RFC 5929, 4.1; RFC 2744, 3.11 */
function bindingOf({ certificate }: FrontIdentity): string {
  const { raw } = new X509Certificate(certificate);
  const data = Buffer.concat([Buffer.from('tls-server-end-point:'), createHash('sha256').update(raw).digest()]);
  const struct = Buffer.alloc(20);
  struct.writeUInt32LE(data.length, 16);
  return createHash('md5').update(struct).update(data).digest('hex');
}

async function signedInOver(target: string, identity: FrontIdentity): Promise<(string | null)[]> {
  const double = new WinRmDouble({ takesPlain: target.startsWith('https:') });
  const front = tlsFront(double.openRoad, identity);
  const session = new Session({
    target: parseTarget(target).target,
    policy: 'negotiate-raw',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad: target.startsWith('https:') ? front.openRoad : double.openRoad,
    platform: fixedPlatform({ nowMs: Date.UTC(2030, 0, 1) }),
    shell: { kind: 'interactive', codePage: 65001 },
    trust: { policy: { roots: [], pins: [] }, ask: () => Promise.resolve('trust-once') },
  });
  await session.open();
  const reading = (async () => {
    for await (const _ of session.output);
  })();
  await settled();
  double.endConnections();
  await expect.poll(() => session.counts.handshakes).toBe(3);
  await session.writeText('x');
  double.exit(0);
  await reading;
  await session.close();
  return double.connections.map(({ binding }) => binding && toHex(binding));
}

it('binds every sign-in of a session to the certificate that its TLS ends at, also after a connection was lost', async () => {
  const bindings = await signedInOver('https://peer', peers.p256);
  expect(bindings).toEqual(Array(4).fill(bindingOf(peers.p256)));
});

it('binds no sign-in to anything where there is no TLS', async () => {
  const bindings = await signedInOver('http://peer', peers.p256);
  expect(bindings).toHaveLength(4);
  for (const binding of bindings) expect(binding ?? '').toMatch(/^(?:0{32})?$/);
});
