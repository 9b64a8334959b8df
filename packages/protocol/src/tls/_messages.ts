import { ByteReader, ByteWriter } from '../bytes/cursor.ts';
import type { SignatureScheme } from '../crypto/pubkey.ts';
import { failWith } from './_alerts.ts';

/** Handshake messages both ways, as far as a client writes and reads them. RFC 8446, section 4; RFC 5246, section 7.4. */

/** Handshake types. RFC 8446, section 4; those of TLS 1.2 from RFC 5246, section 7.4. */
export const MESSAGES = {
  HelloRequest: 0,
  ClientHello: 1,
  ServerHello: 2,
  NewSessionTicket: 4,
  EncryptedExtensions: 8,
  Certificate: 11,
  ServerKeyExchange: 12,
  CertificateRequest: 13,
  ServerHelloDone: 14,
  CertificateVerify: 15,
  ClientKeyExchange: 16,
  Finished: 20,
  KeyUpdate: 24,
  MessageHash: 254,
} as const;

/** A handshake message by its name. */
export type MessageName = keyof typeof MESSAGES;

/** A message's name, for an error. */
export function messageName(type: number): string {
  for (const [name, number] of Object.entries(MESSAGES)) if (number === type) return name;
  return `message ${type}`;
}

/** Extensions. RFC 8446, section 4.2, and the registry's older ones. */
export const EXTENSIONS = {
  serverName: 0,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  cookie: 44,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

/** Signature schemes by number. RFC 8446, section 4.2.3. */
export const SCHEME_IDS: ReadonlyMap<SignatureScheme, number> = new Map([
  ['ecdsa_secp256r1_sha256', 0x0403],
  ['ecdsa_secp384r1_sha384', 0x0503],
  ['ecdsa_secp521r1_sha512', 0x0603],
  ['ed25519', 0x0807],
  ['rsa_pss_rsae_sha256', 0x0804],
  ['rsa_pss_rsae_sha384', 0x0805],
  ['rsa_pss_rsae_sha512', 0x0806],
  ['rsa_pss_pss_sha256', 0x0809],
  ['rsa_pss_pss_sha384', 0x080a],
  ['rsa_pss_pss_sha512', 0x080b],
  ['rsa_pkcs1_sha256', 0x0401],
  ['rsa_pkcs1_sha384', 0x0501],
  ['rsa_pkcs1_sha512', 0x0601],
  ['ecdsa_sha1', 0x0203],
  ['rsa_pkcs1_sha1', 0x0201],
]);

/** A scheme by its number, or null. */
export function schemeOf(id: number): SignatureScheme | null {
  for (const [name, number] of SCHEME_IDS) if (number === id) return name;
  return null;
}

/** The Random by which a ServerHello is a HelloRetryRequest: SHA-256 of that word. RFC 8446, section 4.1.3. */
export const RETRY_RANDOM = /* @__PURE__ */ Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
);

/** Extensions by number, in the order they came. */
export type Extensions = ReadonlyMap<number, Uint8Array>;

/** Refuses a message. */
export function malformed(problem: string): never {
  failWith('decode_error', 'tls.bad-handshake', { problem });
}

/** Refuses a message that can be read but may not say that. */
export function illegal(problem: string): never {
  failWith('illegal_parameter', 'tls.bad-handshake', { problem });
}

function readerOf(name: string, body: Uint8Array): ByteReader {
  return new ByteReader(body, (what) => malformed(`${name} ends early: ${what}`));
}

function end(name: string, reader: ByteReader): void {
  if (reader.remaining > 0) malformed(`${name} has ${reader.remaining} bytes left over`);
}

function u24(reader: ByteReader): number {
  return reader.u8() * 65_536 + reader.u16be();
}

/** A whole handshake message. */
export function encodeMessage(name: MessageName, write: (writer: ByteWriter) => void): Uint8Array {
  const body = new ByteWriter();
  write(body);
  const bytes = body.finish();
  return new ByteWriter(4 + bytes.length)
    .u8(MESSAGES[name])
    .u8(bytes.length >> 16)
    .u16be(bytes.length & 0xffff)
    .bytes(bytes)
    .finish();
}

/** A ClientHello. */
export interface ClientHello {
  /** 32 bytes. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly extensions: readonly (readonly [number, Uint8Array])[];
}

/** RFC 8446, section 4.1.2. */
export function encodeClientHello(hello: ClientHello): Uint8Array {
  return encodeMessage('ClientHello', (w) => {
    w.u16be(0x0303).bytes(hello.random);
    w.block(1, () => w.bytes(hello.sessionId));
    w.block(2, () => hello.suites.forEach((id) => void w.u16be(id)));
    w.u8(1).u8(0); // no compression, and nothing else
    w.block(2, () => {
      for (const [id, bytes] of hello.extensions) w.u16be(id).block(2, () => w.bytes(bytes));
    });
  });
}

/** A ServerHello of either version; a HelloRetryRequest looks the same. */
export interface ServerHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly extensions: Extensions;
}

/** RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3. @throws tls.bad-handshake */
export function decodeServerHello(body: Uint8Array): ServerHello {
  const reader = readerOf('ServerHello', body);
  const legacyVersion = reader.u16be();
  const random = reader.take(32);
  const sessionId = reader.take(reader.u8());
  if (sessionId.length > 32) malformed('a session identifier of more than 32 bytes');
  const suite = reader.u16be();
  if (reader.u8() !== 0) illegal('the host chose compression');
  const extensions = reader.remaining === 0 ? new Map<number, Uint8Array>() : readExtensions(reader, 'ServerHello');
  end('ServerHello', reader);
  return { legacyVersion, random, sessionId, suite, extensions };
}

/** RFC 8446, section 4.3.1. @throws tls.bad-handshake */
export function decodeEncryptedExtensions(body: Uint8Array): Extensions {
  const reader = readerOf('EncryptedExtensions', body);
  const extensions = readExtensions(reader, 'EncryptedExtensions');
  end('EncryptedExtensions', reader);
  return extensions;
}

/** RFC 8446, section 4.2: none comes twice. */
function readExtensions(reader: ByteReader, where: string): Extensions {
  const block = readerOf(where, reader.take(reader.u16be()));
  const extensions = new Map<number, Uint8Array>();
  while (block.remaining > 0) {
    const id = block.u16be();
    if (extensions.has(id)) illegal(`extension ${id} comes twice in ${where}`);
    extensions.set(id, block.take(block.u16be()));
  }
  return extensions;
}

/** Refuses extensions that may not stand here: RFC 8446, section 4.2. */
export function checkExtensions(extensions: Extensions, allowed: readonly number[], where: string): void {
  for (const id of extensions.keys()) {
    if (allowed.includes(id)) continue;
    failWith('unsupported_extension', 'tls.bad-handshake', { problem: `extension ${id} in ${where}` });
  }
}

/** The certificates of a chain, leaf first, without what TLS 1.3 attaches to each. */
export interface CertificateMessage {
  readonly context: Uint8Array;
  readonly chain: readonly Uint8Array[];
}

/** Certificates of a chain we read; a real one has two to four. */
export const MAX_CHAIN_LENGTH = 16;

/** RFC 5246, section 7.4.2. @throws tls.bad-handshake */
export function decodeCertificate12(body: Uint8Array): CertificateMessage {
  const reader = readerOf('Certificate', body);
  const list = readerOf('Certificate', reader.take(u24(reader)));
  end('Certificate', reader);
  return { context: new Uint8Array(0), chain: readChain(list, () => undefined) };
}

/** RFC 8446, section 4.4.2. Staples and timestamps attached to a certificate are not looked at. @throws tls.bad-handshake */
export function decodeCertificate13(body: Uint8Array): CertificateMessage {
  const reader = readerOf('Certificate', body);
  const context = reader.take(reader.u8());
  const list = readerOf('Certificate', reader.take(u24(reader)));
  end('Certificate', reader);
  return { context, chain: readChain(list, () => void readExtensions(list, 'Certificate')) };
}

function readChain(list: ByteReader, afterEach: () => void): Uint8Array[] {
  const chain: Uint8Array[] = [];
  while (list.remaining > 0) {
    if (chain.length === MAX_CHAIN_LENGTH) malformed(`more than ${MAX_CHAIN_LENGTH} certificates`);
    const certificate = list.take(u24(list));
    if (certificate.length === 0) malformed('an empty certificate');
    chain.push(certificate);
    afterEach();
  }
  return chain;
}

/** A Certificate message. `context` is null for TLS 1.2. */
export function encodeCertificate(chain: readonly Uint8Array[], context: Uint8Array | null): Uint8Array {
  return encodeMessage('Certificate', (w) => {
    if (context !== null) w.block(1, () => w.bytes(context));
    const perCertificate = context === null ? 3 : 3 + 2;
    const total = chain.reduce((sum, certificate) => sum + perCertificate + certificate.length, 0);
    w.u8(total >> 16).u16be(total & 0xffff);
    for (const certificate of chain) {
      w.u8(certificate.length >> 16).u16be(certificate.length & 0xffff);
      w.bytes(certificate);
      if (context !== null) w.u16be(0); // no extensions
    }
  });
}

/** A signature and the scheme it was made with; the scheme as a number because it may be none of ours. */
export interface Signed {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

function readSigned(reader: ByteReader): Signed {
  return { scheme: reader.u16be(), signature: reader.take(reader.u16be()) };
}

/** RFC 8446, section 4.4.3; RFC 5246, section 7.4.8. @throws tls.bad-handshake */
export function decodeCertificateVerify(body: Uint8Array): Signed {
  const reader = readerOf('CertificateVerify', body);
  const signed = readSigned(reader);
  end('CertificateVerify', reader);
  return signed;
}

/** The message that proves possession of a key. */
export function encodeCertificateVerify(scheme: number, signature: Uint8Array): Uint8Array {
  return encodeMessage('CertificateVerify', (w) => w.u16be(scheme).block(2, () => w.bytes(signature)));
}

/** The server's ephemeral key of TLS 1.2. */
export interface ServerKeyExchange extends Signed {
  readonly group: number;
  readonly publicKey: Uint8Array;
  /** The part that is signed. */
  readonly params: Uint8Array;
}

/** RFC 8422, section 5.4. @throws tls.bad-handshake */
export function decodeServerKeyExchange(body: Uint8Array): ServerKeyExchange {
  const reader = readerOf('ServerKeyExchange', body);
  if (reader.u8() !== 3 /* named_curve */) illegal('the host describes a curve of its own');
  const group = reader.u16be();
  const publicKey = reader.take(reader.u8());
  const params = body.subarray(0, reader.position);
  const signed = readSigned(reader);
  end('ServerKeyExchange', reader);
  return { group, publicKey, params, ...signed };
}

/** What the server asks of a client certificate. Issuers are not looked at: the person has chosen. */
export interface CertificateRequest {
  readonly context: Uint8Array;
  readonly schemes: readonly number[];
}

/** RFC 5246, section 7.4.4. @throws tls.bad-handshake */
export function decodeCertificateRequest12(body: Uint8Array): CertificateRequest {
  const reader = readerOf('CertificateRequest', body);
  reader.take(reader.u8()); // certificate_types: the schemes say the same
  const schemes = readNumbers(readerOf('CertificateRequest', reader.take(reader.u16be())));
  reader.take(reader.u16be());
  end('CertificateRequest', reader);
  return { context: new Uint8Array(0), schemes };
}

/** RFC 8446, section 4.3.2. @throws tls.bad-handshake */
export function decodeCertificateRequest13(body: Uint8Array): CertificateRequest {
  const reader = readerOf('CertificateRequest', body);
  const context = reader.take(reader.u8());
  const extensions = readExtensions(reader, 'CertificateRequest');
  end('CertificateRequest', reader);
  const algorithms = extensions.get(EXTENSIONS.signatureAlgorithms);
  if (algorithms === undefined) {
    failWith('missing_extension', 'tls.bad-handshake', { problem: 'CertificateRequest names no signature schemes' });
  }
  const list = readerOf('signature_algorithms', algorithms);
  const schemes = readNumbers(readerOf('signature_algorithms', list.take(list.u16be())));
  end('signature_algorithms', list);
  return { context, schemes };
}

function readNumbers(reader: ByteReader): number[] {
  const numbers: number[] = [];
  while (reader.remaining > 0) numbers.push(reader.u16be());
  return numbers;
}

/** RFC 8446, section 4.6.1. Tickets are for resumption, which we do not offer: read, then dropped. @throws tls.bad-handshake */
export function checkNewSessionTicket13(body: Uint8Array): void {
  const reader = readerOf('NewSessionTicket', body);
  reader.take(4 /* lifetime */ + 4 /* age_add */);
  reader.take(reader.u8());
  if (reader.take(reader.u16be()).length === 0) malformed('an empty ticket');
  readExtensions(reader, 'NewSessionTicket');
  end('NewSessionTicket', reader);
}

/** Whether the peer wants us to change our key too. RFC 8446, section 4.6.3. @throws tls.bad-handshake */
export function decodeKeyUpdate(body: Uint8Array): boolean {
  const reader = readerOf('KeyUpdate', body);
  const request = reader.u8();
  end('KeyUpdate', reader);
  if (request > 1) illegal(`KeyUpdate says ${request}`);
  return request === 1;
}

/** The peer's share of TLS 1.3. RFC 8446, section 4.2.8. @throws tls.bad-handshake */
export function decodeKeyShare(bytes: Uint8Array): { group: number; publicKey: Uint8Array } {
  const reader = readerOf('key_share', bytes);
  const group = reader.u16be();
  const publicKey = reader.take(reader.u16be());
  end('key_share', reader);
  return { group, publicKey };
}

/** A message without content that still carries some: refused. */
export function expectEmpty(name: string, body: Uint8Array): void {
  if (body.length > 0) malformed(`${name} has ${body.length} bytes left over`);
}
