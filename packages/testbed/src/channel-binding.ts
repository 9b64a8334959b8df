import { createHash, type X509Certificate } from 'node:crypto';
import { DerReader, oidText } from '../../protocol/src/codec/der.ts';
import { Refusal } from './refusal.ts';

/**
 * Channel binding as a server checks it. Written apart from `protocol/auth` and `protocol/tls`, so that two readings of
 * the specifications meet in every test.
 */

/** CbtHardeningLevel of the WinRM service: not looked at; wrong is refused; wrong and absent are refused. */
export type CbtHardening = 'none' | 'relaxed' | 'strict';

/** What a client on one TLS connection must have bound its logon to. */
export interface ExpectedBinding {
  readonly hardening: CbtHardening;
  /** 16 bytes, as in MsvAvChannelBindings. */
  readonly hash: Uint8Array;
}

/**
 * The MD5 of a gss_channel_bindings_struct that holds tls-server-end-point and no addresses. [MS-NLMP] 2.2.2.1,
 * RFC 2744, section 3.11, RFC 5929, section 4.1
 */
export function serverEndPointHash(certificate: X509Certificate): Uint8Array {
  const own = createHash(hashOf(certificate.raw)).update(certificate.raw).digest();
  const text = Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), own]);
  const struct = Buffer.alloc(20);
  struct.writeUInt32LE(text.length, 16);
  return new Uint8Array(createHash('md5').update(struct).update(text).digest());
}

/** @param found the client's MsvAvChannelBindings, or undefined @throws Refusal */
export function checkBinding(expected: ExpectedBinding, found: Uint8Array | undefined): void {
  if (expected.hardening === 'none') return;
  // [MS-NLMP] 2.2.2.1: all zero says the same as none
  if (found === undefined || found.every((byte) => byte === 0)) {
    if (expected.hardening === 'strict') throw new Refusal('the channel binding is missing');
    return;
  }
  if (!Buffer.from(expected.hash).equals(found)) throw new Refusal('wrong channel binding');
}

/** The hash of the certificate's signature, with SHA-256 in place of MD5, SHA-1 and what has none. RFC 5929, section 4.1 */
function hashOf(der: Uint8Array): 'sha256' | 'sha384' | 'sha512' {
  const problem = (text: string): never => {
    throw new RangeError(`a certificate that cannot be read: ${text}`);
  };
  const certificate = new DerReader(der, problem).inside(SEQUENCE);
  certificate.take(SEQUENCE);
  const algorithm = certificate.inside(SEQUENCE);
  let id = oidText(algorithm.take(OBJECT_IDENTIFIER));
  if (id === RSASSA_PSS) {
    const named = algorithm.insideOptional(SEQUENCE)?.insideOptional(0xa0)?.inside(SEQUENCE);
    id = named === undefined ? null : oidText(named.take(OBJECT_IDENTIFIER));
  }
  if (id !== null && SHA384.has(id)) return 'sha384';
  return id !== null && SHA512.has(id) ? 'sha512' : 'sha256';
}

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const RSASSA_PSS = '1.2.840.113549.1.1.10';
/** With RSA, with ECDSA, and the hash itself, which PSS names. */
const SHA384 = new Set(['1.2.840.113549.1.1.12', '1.2.840.10045.4.3.3', '2.16.840.1.101.3.4.2.2']);
const SHA512 = new Set(['1.2.840.113549.1.1.13', '1.2.840.10045.4.3.4', '2.16.840.1.101.3.4.2.3']);
