import { NO_BYTES, utf8Encode } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import { type KeyShare, makeKeyShare } from '../crypto/key-agreement.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../crypto/pubkey.ts';
import { parseAddress } from './_host.ts';
import { type ClientHello, EXTENSIONS, SCHEME_IDS } from './_messages.ts';
import { GROUP_IDS, SUITES, type TlsVersion } from './_suites.ts';

/** What a client offers, and nothing the server may bring up by itself. RFC 8446, section 4.1.2. */

/** Versions by number. */
export const VERSION_IDS: Readonly<Record<TlsVersion, number>> = { '1.2': 0x0303, '1.3': 0x0304 };

/** What an offer is made of. */
export interface OfferOptions {
  readonly host: string;
  readonly versions: readonly TlsVersion[];
  readonly allowLegacy: boolean;
  readonly hasClientCertificate: boolean;
  /** Finished of the client from the handshake before, when this one renews a connection. RFC 5746, section 3.5. */
  readonly previousFinished: Uint8Array;
  readonly random: (length: number) => Uint8Array;
}

/** A ClientHello and the key it offers; after a HelloRetryRequest the same again with what was asked for. */
export interface Offer {
  readonly hello: ClientHello;
  /** Null when TLS 1.3 is not offered. */
  readonly share: KeyShare | null;
}

/** The first ClientHello. */
export function makeOffer(options: OfferOptions): Offer {
  const { random, versions } = options;
  const has13 = versions.includes('1.3');
  const share = has13 ? makeKeyShare('x25519', random) : null;
  const hello: ClientHello = {
    random: random(32),
    // A session identifier makes TLS 1.3 look like a resumption of TLS 1.2. RFC 8446, appendix D.4.
    sessionId: has13 ? random(32) : NO_BYTES,
    suites: SUITES.filter(
      (suite) => versions.includes(suite.version) && (options.allowLegacy || suite.mac !== 'sha1'),
    ).map(({ id }) => id),
    extensions: extensionsOf(options, share),
  };
  return { hello, share };
}

/** The ClientHello that answers a HelloRetryRequest. RFC 8446, section 4.1.2. */
export function repeatOffer(first: Offer, share: KeyShare | null, cookie: Uint8Array | null): Offer {
  const extensions = first.hello.extensions.map(([id, bytes]): readonly [number, Uint8Array] =>
    id === EXTENSIONS.keyShare && share !== null ? [id, keyShareBytes(share)] : [id, bytes],
  );
  if (cookie !== null) extensions.push([EXTENSIONS.cookie, cookie]);
  return { hello: { ...first.hello, extensions }, share: share ?? first.share };
}

function extensionsOf(options: OfferOptions, share: KeyShare | null): [number, Uint8Array][] {
  const { versions, allowLegacy, host } = options;
  const has12 = versions.includes('1.2');
  const schemes = offeredSchemes(allowLegacy && has12);
  const extensions: [number, Uint8Array][] = [];
  const add = (id: number, write: (writer: ByteWriter) => void): void => {
    const writer = new ByteWriter();
    write(writer);
    extensions.push([id, writer.finish()]);
  };
  if (parseAddress(host) === null) add(EXTENSIONS.serverName, (w) => writeServerName(w, host));
  add(EXTENSIONS.supportedGroups, (w) => writeNumbers(w, [...GROUP_IDS.values()]));
  add(EXTENSIONS.signatureAlgorithms, (w) => writeNumbers(w, schemes));
  // Certificates are judged elsewhere: a chain signed with SHA-1 shall come, so that it can be refused with its reason.
  add(EXTENSIONS.signatureAlgorithmsCert, (w) => writeNumbers(w, offeredSchemes(true)));
  if (has12) {
    add(EXTENSIONS.ecPointFormats, (w) => w.block(1, () => w.u8(0))); // uncompressed
    add(EXTENSIONS.encryptThenMac, () => undefined);
    add(EXTENSIONS.extendedMasterSecret, () => undefined);
    add(EXTENSIONS.renegotiationInfo, (w) => w.block(1, () => w.bytes(options.previousFinished)));
  }
  if (share !== null) {
    const ids = versions.map((version) => VERSION_IDS[version]).sort((a, b) => b - a);
    add(EXTENSIONS.supportedVersions, (w) => w.block(1, () => ids.forEach((id) => void w.u16be(id))));
    add(EXTENSIONS.keyShare, (w) => w.bytes(keyShareBytes(share)));
    // Windows asks for a client certificate after the handshake, once it knows which resource is wanted.
    if (options.hasClientCertificate) add(EXTENSIONS.postHandshakeAuth, () => undefined);
  }
  return extensions;
}

/** RFC 6066, section 3. A name in Unicode has been turned to ASCII before it comes here. */
function writeServerName(writer: ByteWriter, host: string): void {
  writer.block(2, () => writer.u8(0).block(2, () => writer.bytes(utf8Encode(host.replace(/\.$/, '')))));
}

function writeNumbers(writer: ByteWriter, numbers: readonly number[]): void {
  writer.block(2, () => numbers.forEach((number) => void writer.u16be(number)));
}

function keyShareBytes(share: KeyShare): Uint8Array {
  const id = GROUP_IDS.get(share.group) ?? 0;
  return new ByteWriter().block(2, (w) => w.u16be(id).block(2, () => w.bytes(share.publicKey))).finish();
}

/** The schemes offered for the peer's own signatures; SHA-1 only where old servers are let in. */
export function offeredSchemes(hasSha1: boolean): number[] {
  return [...SCHEME_IDS].filter(([scheme]) => hasSha1 || !isSha1(scheme)).map(([, id]) => id);
}

/** Whether a scheme hashes with SHA-1. */
export function isSha1(scheme: SignatureScheme): boolean {
  return SIGNATURE_SCHEMES[scheme].hash === 'sha1';
}
