import { NO_BYTES } from '../bytes/bytes.ts';
import { ByteReader } from '../bytes/cursor.ts';
import type { GroupName } from '../crypto/key-agreement.ts';
import { EXTENSIONS, type Extensions, encodeMessage } from '../tls/_messages.ts';
import { offeredSchemes } from '../tls/_offer.ts';
import { groupOf } from '../tls/_suites.ts';

/** Handshake messages as only a server writes and reads them. */

/** A ClientHello as it came. */
export interface ReceivedHello {
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly extensions: Extensions;
}

/** What a double says when the client cut a message short. */
export function short(what: string): never {
  throw new Error(`cut off: ${what}`);
}

/** Two bytes, big-endian. */
export function u16(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 255);
}

/** ServerHello or HelloRetryRequest. */
export function serverHello(
  random: Uint8Array,
  sessionId: Uint8Array,
  suite: number,
  extensions: readonly [number, Uint8Array][],
): Uint8Array {
  return encodeMessage('ServerHello', (w) => {
    w.u16be(0x0303).bytes(random);
    w.block(1, () => w.bytes(sessionId));
    w.u16be(suite).u8(0);
    w.block(2, () => {
      for (const [id, bytes] of extensions) w.u16be(id).block(2, () => w.bytes(bytes));
    });
  });
}

/** A CertificateRequest that takes every scheme we know. RFC 8446, section 4.3.2. */
export function certificateRequest13(context: Uint8Array): Uint8Array {
  return encodeMessage('CertificateRequest', (w) => {
    w.block(1, () => w.bytes(context));
    w.block(2, () => {
      w.u16be(EXTENSIONS.signatureAlgorithms);
      w.block(2, () => w.block(2, () => offeredSchemes(false).forEach((id) => void w.u16be(id))));
    });
  });
}

/** The same of TLS 1.2. RFC 5246, section 7.4.4. */
export function certificateRequest12(): Uint8Array {
  return encodeMessage('CertificateRequest', (w) => {
    w.block(1, () => w.u8(1).u8(64)); // rsa_sign, ecdsa_sign
    w.block(2, () => offeredSchemes(false).forEach((id) => void w.u16be(id)));
    w.u16be(0);
  });
}

/** The client's key of a group; empty when it offers none. */
export function clientShare(extensions: Extensions, group: GroupName): Uint8Array {
  const reader = new ByteReader(extensions.get(EXTENSIONS.keyShare) ?? NO_BYTES, short);
  const list = new ByteReader(reader.take(reader.u16be()), short);
  while (list.remaining > 0) {
    const id = list.u16be();
    const key = list.take(list.u16be());
    if (groupOf(id) === group) return key;
  }
  return NO_BYTES;
}

/** What the client offers. */
export function readClientHello(body: Uint8Array): ReceivedHello {
  const reader = new ByteReader(body, short);
  reader.u16be();
  const random = reader.take(32);
  const sessionId = reader.take(reader.u8());
  const list = new ByteReader(reader.take(reader.u16be()), short);
  const suites: number[] = [];
  while (list.remaining > 0) suites.push(list.u16be());
  reader.take(reader.u8());
  const extensions = new Map<number, Uint8Array>();
  const block = new ByteReader(reader.take(reader.u16be()), short);
  while (block.remaining > 0) extensions.set(block.u16be(), block.take(block.u16be()));
  return { random, sessionId, suites, extensions };
}
