import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, NO_BYTES, toHex } from '../bytes/bytes.ts';
import { makeKeyShare } from '../crypto/key-agreement.ts';
import { verifySignature } from '../crypto/pubkey.ts';
import { signedContent } from './_client-auth.ts';
import {
  checkNewSessionTicket13,
  decodeCertificate13,
  decodeCertificateVerify,
  decodeEncryptedExtensions,
  decodeKeyShare,
  decodeServerHello,
  schemeOf,
} from './_messages.ts';
import { digestOf, expandLabel, finished13, KeySchedule, prf } from './_suites.ts';
import trace from './vectors/rfc8448.json' with { type: 'json' };
import { parseCertificate } from './x509.ts';

function hex(text: string): Uint8Array {
  return fromHex(text) ?? expect.fail('not hexadecimal');
}

describe('RFC 8448, section 3', () => {
  const toServerHello = [hex(trace.clientHello), hex(trace.serverHello)];
  const toCertificate = [...toServerHello, hex(trace.encryptedExtensions), hex(trace.certificate)];
  const toFinished = [...toCertificate, hex(trace.certificateVerify), hex(trace.serverFinished)];

  test('makeKeyShare agrees with the trace on both sides', () => {
    const client = makeKeyShare('x25519', () => hex(trace.clientPrivate));
    const server = makeKeyShare('x25519', () => hex(trace.serverPrivate));
    expect(toHex(client.publicKey)).toBe(trace.clientPublic);
    expect(toHex(server.publicKey)).toBe(trace.serverPublic);
    expect(toHex(client.agree(server.publicKey) ?? NO_BYTES)).toBe(trace.shared);
    expect(toHex(server.agree(client.publicKey) ?? NO_BYTES)).toBe(trace.shared);
  });

  test('KeySchedule gives the traffic secrets, keys and nonces of the trace', () => {
    const schedule = new KeySchedule('sha256');
    const handshake = schedule.toHandshake(hex(trace.shared), digestOf('sha256', ...toServerHello));
    expect(toHex(handshake.client)).toBe(trace.clientHandshakeTraffic);
    expect(toHex(handshake.server)).toBe(trace.serverHandshakeTraffic);
    const application = schedule.toApplication(digestOf('sha256', ...toFinished));
    expect(toHex(application.client)).toBe(trace.clientApplicationTraffic);
    expect(toHex(application.server)).toBe(trace.serverApplicationTraffic);
    expect(toHex(expandLabel('sha256', handshake.server, 'key', NO_BYTES, 16))).toBe(trace.serverHandshakeKey);
    expect(toHex(expandLabel('sha256', handshake.server, 'iv', NO_BYTES, 12))).toBe(trace.serverHandshakeIv);
    expect(toHex(expandLabel('sha256', application.server, 'key', NO_BYTES, 16))).toBe(trace.serverApplicationKey);
    expect(toHex(expandLabel('sha256', application.server, 'iv', NO_BYTES, 12))).toBe(trace.serverApplicationIv);
  });

  test('finished13 gives what both sides of the trace say', () => {
    const upTo = (...messages: Uint8Array[]) => digestOf('sha256', ...messages);
    const server = finished13('sha256', hex(trace.serverHandshakeTraffic), upTo(...toFinished.slice(0, 5)));
    expect(`14000020${toHex(server)}`).toBe(trace.serverFinished);
    const client = finished13('sha256', hex(trace.clientHandshakeTraffic), upTo(...toFinished));
    expect(`14000020${toHex(client)}`).toBe(trace.clientFinished);
  });

  test('The messages of the trace are read, and its signature proves its certificate', () => {
    const hello = decodeServerHello(hex(trace.serverHello).subarray(4));
    expect(hello.suite).toBe(0x1301);
    expect(toHex(decodeKeyShare(hello.extensions.get(51) ?? NO_BYTES).publicKey)).toBe(trace.serverPublic);
    expect([...decodeEncryptedExtensions(hex(trace.encryptedExtensions).subarray(4)).keys()]).toEqual([10, 28, 0]);
    checkNewSessionTicket13(hex(trace.newSessionTicket).subarray(4));
    const { chain } = decodeCertificate13(hex(trace.certificate).subarray(4));
    const { publicKey } = parseCertificate(chain[0] ?? NO_BYTES);
    const { scheme, signature } = decodeCertificateVerify(hex(trace.certificateVerify).subarray(4));
    const content = signedContent('server', digestOf('sha256', ...toCertificate));
    expect(schemeOf(scheme)).toBe('rsa_pss_rsae_sha256');
    expect(verifySignature(publicKey, 'rsa_pss_rsae_sha256', content, signature)).toBe(true);
    expect(verifySignature(publicKey, 'rsa_pss_rsae_sha256', content.subarray(1), signature)).toBe(false);
  });
});

// from: the vectors of the TLS working group's list of 2009 for P_SHA256, as OpenSSL and others carry them
test('prf with SHA-256 gives the published bytes', () => {
  const out = prf(
    'sha256',
    hex('9bbe436ba940f017b17652849a71db35'),
    'test label',
    hex('a0ba9f936cda311827a6f796ffd5198c'),
    100,
  );
  expect(toHex(out)).toBe(
    'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17' +
      'abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
  );
});

test('prf gives any length as the beginning of a longer one', () => {
  const long = prf('sha384', Uint8Array.of(1), 'label', concatBytes(Uint8Array.of(2)), 200);
  for (const length of [0, 1, 47, 48, 49, 96, 199]) {
    expect(prf('sha384', Uint8Array.of(1), 'label', Uint8Array.of(2), length)).toEqual(long.subarray(0, length));
  }
});
