import { createHash, type X509Certificate } from 'node:crypto';
import type { AccountBook, KnownAccount } from './accounts.ts';
import { Refusal } from './refusal.ts';

/** The two ways to log on that come with every request and agree on no keys: Basic, and a client certificate. */

/** What Authorization says for a logon with the certificate of the TLS connection. DMTF DSP0226, annex C */
export const MUTUAL_PROFILE = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual';

/** The account of Basic credentials. RFC 7617, section 2 @throws Refusal */
export function readBasic(text: string, accounts: AccountBook): KnownAccount {
  if (text === '' || text.length > MAX_BASIC_CHARS || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw new Refusal('credentials that are not base64');
  const plain = decodeText(Buffer.from(text, 'base64'));
  const colon = plain.indexOf(':');
  if (colon < 0) throw new Refusal('credentials without a colon');
  const account = accounts.verify(plain.slice(0, colon), plain.slice(colon + 1));
  if (account === null) throw new Refusal('wrong user or password');
  return account;
}

/** The account a certificate is mapped to. @throws Refusal when its dates, its purpose or the mapping do not allow it */
export function readCertificate(certificate: X509Certificate, accounts: AccountBook): KnownAccount {
  const now = Date.now();
  if (now < certificate.validFromDate.getTime() || now > certificate.validToDate.getTime())
    throw new Refusal('a certificate that is not valid now');
  // `keyUsage` is what Node calls extendedKeyUsage
  if (!(certificate.keyUsage ?? []).includes(CLIENT_AUTHENTICATION))
    throw new Refusal('a certificate that is not for clients');
  const sha256 = createHash('sha256').update(certificate.raw).digest('hex').toUpperCase();
  const account = accounts.findByCertificate(sha256);
  if (account === null) throw new Refusal('a certificate that is mapped to nobody');
  return account;
}

/** RFC 5280, section 4.2.1.12 */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const MAX_BASIC_CHARS = 4096;

/**
 * UTF-8, or Latin-1 when it is not that. RFC 7617 leaves it open; the test that runs pywinrm, whose HTTP library writes
 * Latin-1, holds the second.
 */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
