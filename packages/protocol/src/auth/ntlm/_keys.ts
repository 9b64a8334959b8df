import { latin1Encode, utf16leEncode } from '../../bytes/bytes.ts';
import { ByteWriter } from '../../bytes/cursor.ts';
import { hmacMd5, md5 } from '../../crypto/hash.ts';
import { md4 } from '../../crypto/legacy.ts';
import type { AvPair } from './_messages.ts';
import { encodeAvPairs, NTLM_FLAG } from './_messages.ts';

/** NTLMv2's responses and keys, as pure functions. [MS-NLMP] 3.3.2 and 3.4.5 */

/** Which way a sealed message travels; each way has keys of its own. */
export type SealDirection = 'client-to-server' | 'server-to-client';

/** The NT hash of a password, 16 bytes, as good as the password itself. [MS-NLMP] 3.3.1 NTOWFv1 */
export function ntHash(password: string): Uint8Array {
  return md4(utf16leEncode(password));
}

/**
 * The NTLMv2 response key, 16 bytes. [MS-NLMP] 3.3.2 NTOWFv2
 *
 * INVARIANT: `domain` is exactly the text of the AUTHENTICATE message, case included; only the user is upper-cased. A
 * client that sends one spelling and hashes another is authenticated and then fails every sealed message.
 */
export function ntowfV2(hash: Uint8Array, user: string, domain: string): Uint8Array {
  return hmacMd5(hash, utf16leEncode(upcase(user) + domain));
}

/** The `temp` of [MS-NLMP] 3.3.2: everything of the response but the proof. @param time FILETIME */
export function encodeClientChallenge(
  time: bigint,
  clientChallenge: Uint8Array,
  avPairs: readonly AvPair[],
): Uint8Array {
  return new ByteWriter()
    .u8(1) // RespType
    .u8(1) // HiRespType
    .bytes(new Uint8Array(6))
    .u64le(time)
    .bytes(clientChallenge)
    .u32le(0)
    .bytes(encodeAvPairs(avPairs))
    .u32le(0)
    .finish();
}

/** NTProofStr, 16 bytes. [MS-NLMP] 3.3.2 */
export function ntProof(responseKey: Uint8Array, serverChallenge: Uint8Array, temp: Uint8Array): Uint8Array {
  return hmacMd5(responseKey, serverChallenge, temp);
}

/** SessionBaseKey, which NTLMv2 also uses as KeyExchangeKey, 16 bytes. [MS-NLMP] 3.3.2 and 3.4.5.1 KXKEY */
export function sessionBaseKey(responseKey: Uint8Array, proof: Uint8Array): Uint8Array {
  return hmacMd5(responseKey, proof);
}

/** The key that signs what travels one way, 16 bytes. [MS-NLMP] 3.4.5.2 SIGNKEY with extended session security */
export function signKey(exportedSessionKey: Uint8Array, direction: SealDirection): Uint8Array {
  return md5(exportedSessionKey, latin1Encode(`session key to ${direction} signing key magic constant\0`));
}

/** The key that seals what travels one way, 16 bytes. [MS-NLMP] 3.4.5.3 SEALKEY with extended session security */
export function sealKey(exportedSessionKey: Uint8Array, flags: number, direction: SealDirection): Uint8Array {
  const strength = (flags & NTLM_FLAG.key128) !== 0 ? 16 : (flags & NTLM_FLAG.key56) !== 0 ? 7 : 5;
  return md5(
    exportedSessionKey.subarray(0, strength),
    latin1Encode(`session key to ${direction} sealing key magic constant\0`),
  );
}

/** The MIC over the three messages as sent, the last with zeros for the MIC, 16 bytes. [MS-NLMP] 3.1.5.1.2 */
export function messageIntegrityCode(
  exportedSessionKey: Uint8Array,
  negotiate: Uint8Array,
  challenge: Uint8Array,
  authenticateWithoutMic: Uint8Array,
): Uint8Array {
  return hmacMd5(exportedSessionKey, negotiate, challenge, authenticateWithoutMic);
}

/** Milliseconds since 1970 as FILETIME: 100 ns since 1601. [MS-DTYP] 2.3.3 */
export function fileTime(msSince1970: number): bigint {
  return (BigInt(Math.round(msSince1970)) + MS_1601_TO_1970) * 10_000n;
}

const MS_1601_TO_1970 = 11_644_473_600_000n;

/**
 * Upper case as Windows has it: UTF-16 unit by unit, never longer, and only where lower case leads back (so not for
 * U+0131 dotless i, U+00B5 micro, U+00DF sharp s). The table is public as the exFAT specification's, section 7.2.5.1.
 */
export function upcase(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += upcaseUnit(text.charAt(i));
  return out;
}

function upcaseUnit(unit: string): string {
  if (unit === FINAL_SIGMA) return SIGMA;
  if (unit >= GEORGIAN_FIRST && unit <= GEORGIAN_LAST) return unit;
  const upper = unit.toUpperCase();
  return upper.length === 1 && upper.toLowerCase() === unit ? upper : unit;
}

/** The one letter the table maps though lower case does not lead back to it. */
const FINAL_SIGMA = '\u03c2';
const SIGMA = '\u03a3';
/** Georgian got capitals in Unicode 11, long after the table. */
const GEORGIAN_FIRST = '\u10d0';
const GEORGIAN_LAST = '\u10ff';
