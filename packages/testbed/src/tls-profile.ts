import { constants, createPrivateKey } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { TlsIdentity } from './certificate.ts';

/** Which Windows a listener's TLS is like. */
export type TlsProfile = 'current' | 'old-server' | 'sha1-server';

/** When a listener wants the client's certificate. */
export type ClientCertificateDemand =
  /** Never; certificate logon is switched off. */
  | 'none'
  /** In the handshake; a client without one may go on. */
  | 'request'
  /** In the handshake; a client without one, or with one from no known authority, may not go on. */
  | 'require'
  /** When a request wants to log on with one, by renegotiation, as Windows asks in TLS 1.2. */
  | 'renegotiate';

/** Options of Node's TLS server for a profile. @throws RangeError when the old server is given a key other than RSA */
export function tlsOptions(profile: TlsProfile, identity: TlsIdentity): TlsOptions {
  const own = { cert: identity.certificate, key: identity.key, honorCipherOrder: true };
  if (profile === 'current') return { ...own, ...CURRENT };
  if (createPrivateKey(identity.key).asymmetricKeyType !== 'rsa')
    throw new RangeError('an old server has an RSA certificate');
  return { ...own, ...OLD_SERVER, ...(profile === 'sha1-server' && { ciphers: SHA1_SUITES }) };
}

/** How a listener asks for client certificates; which of them log on to what is decided later, by thumbprint. */
export function clientCertificateOptions(
  demand: ClientCertificateDemand,
  authorities: readonly string[] = [],
): TlsOptions {
  if (demand === 'none' || demand === 'renegotiate') return { requestCert: false };
  const known = authorities.length === 0 ? {} : { ca: [...authorities] };
  return { requestCert: true, rejectUnauthorized: demand === 'require', ...known };
}

/** SSL_OP_NO_ENCRYPT_THEN_MAC of OpenSSL: Schannel does not know RFC 7366. */
const NO_ENCRYPT_THEN_MAC = 1 << 19;

/** A renegotiation that resumed the session would ask for no certificate. */
const RENEGOTIATES_IN_FULL = constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION;

/** What Windows Server 2022 has switched on, in its order. */
const CURRENT: TlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519:P-256:P-384',
  secureOptions: RENEGOTIATES_IN_FULL,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES128-SHA256',
  ].join(':'),
};

/** What is left where suites with SHA-2 were switched off, or never known. */
const SHA1_SUITES = 'ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA';

/** Windows Server 2012 R2 before it is hardened: with an RSA certificate it knows ECDHE in CBC suites only. */
const OLD_SERVER: TlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ecdhCurve: 'P-256:P-384',
  ciphers: `ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:${SHA1_SUITES}`,
  secureOptions: NO_ENCRYPT_THEN_MAC | RENEGOTIATES_IN_FULL,
};
