import { sessionBaseKey } from '../auth/ntlm/_keys.ts';
import type { NtlmChallenge } from '../auth/ntlm/_messages.ts';
import { AV_ID, decodeAuthenticate, decodeChallenge, encodeChallenge, NTLM_FLAG } from '../auth/ntlm/_messages.ts';
import type { NtlmSealing } from '../auth/ntlm/_seal.ts';
import { createNtlmSealing } from '../auth/ntlm/_seal.ts';
import { utf16leEncode } from '../bytes/bytes.ts';
import { Rc4 } from '../crypto/legacy.ts';

/** Pieces of NTLM's server, enough to be the other end of a client's keys. */

/** Flags that Windows and we agree on: KEY_EXCH, 128 bits, extended session security, SIGN and SEAL among them. */
const AGREED_FLAGS = 0xe2898235;

/** Both ends of one connection's keys. */
export function sealingPair(): { client: NtlmSealing; server: NtlmSealing } {
  const key = new Uint8Array(16).fill(0x55);
  return {
    client: createNtlmSealing(key, AGREED_FLAGS, 'client'),
    server: createNtlmSealing(key, AGREED_FLAGS, 'server'),
  };
}

/**
 * The server's keys for an AUTHENTICATE. [MS-NLMP] 3.2.5.1.2
 *
 * @param responseKey NTOWFv2 of the account
 */
export function acceptorSealing(authenticate: Uint8Array, responseKey: Uint8Array): NtlmSealing {
  const { ntResponse, encryptedSessionKey, flags } = decodeAuthenticate(authenticate);
  const keyExchangeKey = sessionBaseKey(responseKey, ntResponse.subarray(0, 16));
  return createNtlmSealing(new Rc4(keyExchangeKey).apply(encryptedSessionKey), flags, 'server');
}

/** The same CHALLENGE with something else about it. */
export function changedChallenge(challenge: Uint8Array, changes: Partial<NtlmChallenge>): Uint8Array {
  return encodeChallenge({ ...decodeChallenge(challenge), ...changes });
}

/** The same CHALLENGE as an attacker would have it: without a timestamp, so that no MIC would be due. */
export function withoutTimestamp(challenge: Uint8Array): Uint8Array {
  const pairs = decodeChallenge(challenge).targetInfo ?? [];
  return changedChallenge(challenge, { targetInfo: pairs.filter(({ id }) => id !== AV_ID.timestamp) });
}

/** A CHALLENGE as a proxy's helper sends it; without `seals` as Samba's, which grants neither SIGN, SEAL nor KEY_EXCH. */
export function proxyChallenge(seals = true): Uint8Array {
  const withheld = seals ? 0 : NTLM_FLAG.sign | NTLM_FLAG.seal | NTLM_FLAG.keyExchange;
  return encodeChallenge({
    flags: (AGREED_FLAGS & ~withheld) >>> 0,
    targetName: 'PX',
    serverChallenge: new Uint8Array(8).fill(7),
    targetInfo: [
      { id: AV_ID.nbDomainName, value: utf16leEncode('PX') },
      { id: AV_ID.nbComputerName, value: utf16leEncode('PX') },
      { id: AV_ID.timestamp, value: new Uint8Array(8).fill(1) },
    ],
    version: null,
  });
}

/** Who an AUTHENTICATE is about and for which service, and whether it brings a session key along. */
export function readAuthenticate(token: Uint8Array): { user: string; domain: string; hasKey: boolean } {
  const { user, domain, encryptedSessionKey } = decodeAuthenticate(token);
  return { user, domain, hasKey: encryptedSessionKey.length > 0 };
}
