import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { derValue } from '../../protocol/src/codec/der.ts';

/**
 * Certificates for tests and demos. Node reads X.509 and does not write it, so the few shapes a WinRM host
 * and its clients need are written here. RFC 5280, section 4.1
 */

/** A certificate with its private key, both PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** What identifies a certificate to people and to pins: upper-case hex without separators, as Windows shows it. */
export interface Thumbprints {
  readonly sha256: string;
  readonly sha1: string;
}

/** What a certificate says. */
export interface CertificateText {
  /** The common name of the subject, and of the issuer unless another one signs. */
  readonly commonName: string;
  /** DNS names and IP addresses of the subjectAltName; none by default. */
  readonly names?: readonly string[];
  /** A user principal name in the subjectAltName, which Windows wants in certificates that map to accounts. */
  readonly userPrincipalName?: string;
  /** Default P-256. */
  readonly keyType?: 'P-256' | 'RSA-2048';
  /** Hash of the signature. Default sha256. */
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** What the key may be used for: in TLS, or to sign other certificates. Default server. */
  readonly usage?: 'server' | 'client' | 'authority';
  /** Who signs it, with the P-256 key of an authority. Default the certificate's own key. */
  readonly issuer?: TlsIdentity;
  /** Milliseconds since 1970. Default a day ago, for clocks that are late. */
  readonly validFromMs?: number;
  /** Milliseconds since 1970. Default a year from now. */
  readonly validUntilMs?: number;
}

/** Makes a key and a certificate for it. */
export function makeCertificate(text: CertificateText): TlsIdentity {
  const isRsa = text.keyType === 'RSA-2048';
  const { publicKey, privateKey } = isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { hash = 'sha256', issuer } = text;
  const isSignedByRsa = isRsa && issuer === undefined;
  const identifier = objectIdentifier(SIGNATURES[isSignedByRsa ? 'rsa' : 'ec'][hash]);
  const algorithm = sequence(identifier, ...(isSignedByRsa ? [NULL] : []));
  const body = toBeSigned(text, publicKey, algorithm);
  const certificate = sequence(body, algorithm, bitString(sign(hash, body, issuer?.key ?? privateKey)));
  return {
    certificate: new X509Certificate(certificate).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The thumbprints of the first certificate in a PEM text. @throws when there is none */
export function thumbprintsOf(certificate: string): Thumbprints {
  const { raw } = new X509Certificate(certificate);
  const hex = (hash: string): string => createHash(hash).update(raw).digest('hex').toUpperCase();
  return { sha256: hex('sha256'), sha1: hex('sha1') };
}

const DAY_MS = 86_400_000;

/** RFC 5280, section 4.1.2 */
function toBeSigned(text: CertificateText, key: KeyObject, algorithm: Uint8Array): Uint8Array {
  const { validFromMs = Date.now() - DAY_MS, validUntilMs = Date.now() + 365 * DAY_MS } = text;
  const { issuer } = text;
  const subject = nameOf(text.commonName);
  const signer = issuer === undefined ? subject : nameOf(commonNameIn(issuer.certificate));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, in the shortest form
  const spki = key.export({ type: 'spki', format: 'der' });
  return sequence(
    derValue(0xa0, derValue(INTEGER, Uint8Array.of(2))), // version 3
    derValue(INTEGER, serial),
    algorithm,
    signer,
    sequence(time(validFromMs), time(validUntilMs)),
    subject,
    spki,
    derValue(0xa3, sequence(...extensions(text, spki))),
  );
}

function nameOf(commonName: string): Uint8Array {
  return sequence(derValue(SET, sequence(objectIdentifier('2.5.4.3'), utf8(commonName))));
}

/** Of a certificate made here, whose subject is nothing else. */
function commonNameIn(certificate: string): string {
  return new X509Certificate(certificate).subject.replace(/^CN=/, '');
}

/** RFC 5280, section 4.2.1 */
function extensions(text: CertificateText, spki: Uint8Array): Uint8Array[] {
  const keyIdentifier = createHash('sha1').update(spki).digest();
  const isAuthority = text.usage === 'authority';
  const purpose = text.usage === 'client' ? '1.3.6.1.5.5.7.3.2' : '1.3.6.1.5.5.7.3.1';
  // digitalSignature, and for RSA keyEncipherment, as New-SelfSignedCertificate writes them; an authority's: keyCertSign
  const own = text.keyType === 'RSA-2048' ? Uint8Array.of(5, 0xa0) : Uint8Array.of(7, 0x80);
  const keyUsage = isAuthority ? Uint8Array.of(2, 0x04) : own;
  const names = (text.names ?? []).map(generalName);
  if (text.userPrincipalName !== undefined) names.push(principalName(text.userPrincipalName));
  return [
    extension('2.5.29.19', sequence(...(isAuthority ? [derValue(BOOLEAN, Uint8Array.of(0xff))] : [])), true),
    extension('2.5.29.15', derValue(BIT_STRING, keyUsage), true),
    ...(isAuthority ? [] : [extension('2.5.29.37', sequence(objectIdentifier(purpose)))]),
    extension('2.5.29.14', derValue(OCTET_STRING, keyIdentifier)),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))]),
  ];
}

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [derValue(BOOLEAN, Uint8Array.of(0xff))] : [];
  return sequence(objectIdentifier(id), ...critical, derValue(OCTET_STRING, value));
}

/** RFC 5280, section 4.2.1.6: iPAddress for an address, dNSName for everything else. */
function generalName(name: string): Uint8Array {
  if (isIPv4(name)) return derValue(0x87, Uint8Array.from(name.split('.'), Number));
  return isIPv6(name) ? derValue(0x87, ipv6Bytes(name)) : derValue(0x82, Buffer.from(name, 'latin1'));
}

/** An otherName of the kind szOID_NT_PRINCIPAL_NAME. */
function principalName(name: string): Uint8Array {
  return derValue(0xa0, objectIdentifier('1.3.6.1.4.1.311.20.2.3'), derValue(0xa0, utf8(name)));
}

function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on. RFC 5280, section 4.1.2.5 */
function time(ms: number): Uint8Array {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const isUtcTime = Number(text.slice(0, 4)) < 2050;
  return derValue(isUtcTime ? 0x17 : 0x18, Buffer.from(isUtcTime ? text.slice(2) : text, 'latin1'));
}

function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const digits = [arc & 127];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 127) | 128);
    return digits;
  });
  return derValue(0x06, Uint8Array.from(bytes));
}

function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return derValue(0x30, ...contents);
}

function bitString(bytes: Uint8Array): Uint8Array {
  return derValue(BIT_STRING, Uint8Array.of(0), bytes);
}

function utf8(text: string): Uint8Array {
  return derValue(0x0c, Buffer.from(text, 'utf8'));
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SET = 0x31;
const NULL = derValue(0x05);

/** RFC 8017, appendix A.2.4; RFC 5758, section 3.2 */
const SIGNATURES = {
  rsa: {
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
} as const;
