import { randomBytes } from 'node:crypto';
import {
  fileTime,
  messageIntegrityCode,
  ntowfV2,
  ntProof,
  sessionBaseKey,
} from '../../protocol/src/auth/ntlm/_keys.ts';
import {
  AV_FLAG_MIC,
  AV_ID,
  decodeAuthenticate,
  decodeNegotiate,
  decodeNtlmv2Response,
  encodeChallenge,
  NTLM_FLAG,
  type NtlmAuthenticate,
  type Ntlmv2Response,
  withMic,
} from '../../protocol/src/auth/ntlm/_messages.ts';
import { createNtlmSealing, type NtlmSealing } from '../../protocol/src/auth/ntlm/_seal.ts';
import { equalBytesConstantTime, utf16leEncode } from '../../protocol/src/bytes/bytes.ts';
import { Rc4 } from '../../protocol/src/crypto/legacy.ts';
import type { AccountBook, KnownAccount } from './accounts.ts';
import { checkBinding, type ExpectedBinding } from './channel-binding.ts';
import { Refusal } from './refusal.ts';

/** Who an exchange has proved the peer to be. */
export interface AcceptedPeer {
  readonly account: KnownAccount;
  /** Null when the client did not ask for all that sealing needs; then it can sign in and do nothing. */
  readonly sealing: NtlmSealing | null;
}

/**
 * The server's side of NTLMv2 on one connection: a CHALLENGE for a NEGOTIATE, a verdict for an AUTHENTICATE.
 * [MS-NLMP] 3.2.5. NTLMv1, LM and anonymous are refused.
 */
export class NtlmAcceptor {
  readonly #accounts: AccountBook;
  readonly #computerName: string;
  readonly #binding: ExpectedBinding | null;
  #negotiate: Uint8Array | null = null;
  #challenge: Uint8Array | null = null;
  readonly #serverChallenge = new Uint8Array(randomBytes(8));

  /** @param binding null where there is no TLS */
  constructor(accounts: AccountBook, computerName: string, binding: ExpectedBinding | null = null) {
    this.#accounts = accounts;
    this.#computerName = computerName;
    this.#binding = binding;
  }

  /** Whether the next message must be an AUTHENTICATE. */
  get hasChallenged(): boolean {
    return this.#challenge !== null;
  }

  /** [MS-NLMP] 3.2.5.1.1 @throws Refusal, auth.malformed-token */
  challenge(negotiate: Uint8Array): Uint8Array {
    const asked = decodeNegotiate(negotiate).flags;
    // QUIRK: ntlm-auth 1.5 (below Debian 12's pywinrm) asks for OEM alone and then follows the CHALLENGE, which says
    // Unicode. The test that runs pywinrm holds this.
    if ((asked & (NTLM_FLAG.unicode | NTLM_FLAG.oem)) === 0) throw new Refusal('no character set in common');
    const name = utf16leEncode(this.#computerName);
    const dnsName = utf16leEncode(this.#computerName.toLowerCase());
    const timestamp = new Uint8Array(8);
    new DataView(timestamp.buffer).setBigUint64(0, fileTime(Date.now()), true);
    this.#negotiate = negotiate.slice();
    this.#challenge = encodeChallenge({
      flags: ((asked & WHAT_THE_CLIENT_DECIDES) | WHAT_WE_ALWAYS_SAY) >>> 0,
      targetName: this.#computerName,
      serverChallenge: this.#serverChallenge,
      targetInfo: [
        { id: AV_ID.nbDomainName, value: name },
        { id: AV_ID.nbComputerName, value: name },
        { id: AV_ID.dnsDomainName, value: dnsName },
        { id: AV_ID.dnsComputerName, value: dnsName },
        { id: AV_ID.timestamp, value: timestamp },
      ],
      version: { major: 10, minor: 0, build: 17763 }, // what a Windows Server 2019 says; clients look at its presence only
    });
    return this.#challenge;
  }

  /** [MS-NLMP] 3.2.5.1.2 @throws Refusal, auth.malformed-token */
  verify(token: Uint8Array): AcceptedPeer {
    const challenge = this.#challenge;
    const negotiate = this.#negotiate;
    if (challenge === null || negotiate === null) throw new Refusal('AUTHENTICATE before NEGOTIATE');
    const message = decodeAuthenticate(token);
    if (message.user === '') throw new Refusal('anonymous');
    const response = readResponse(message);
    const account = this.#accounts.find(message.user, message.domain);
    const responseKey = ntowfV2(account.ntHash, message.user, message.domain);
    const proof = ntProof(responseKey, this.#serverChallenge, response.clientChallenge);
    if (!equalBytesConstantTime(proof, response.proof)) throw new Refusal('wrong user or password');
    const exportedKey = exportedSessionKey(message, sessionBaseKey(responseKey, proof));
    if (promisesMic(response)) {
      if (message.mic === null) throw new Refusal('the MIC that was promised is missing');
      const expected = messageIntegrityCode(exportedKey, negotiate, challenge, withMic(token, new Uint8Array(16)));
      if (!equalBytesConstantTime(expected, message.mic)) throw new Refusal('wrong MIC');
    }
    const bound = response.avPairs.find((pair) => pair.id === AV_ID.channelBindings)?.value;
    if (this.#binding !== null) checkBinding(this.#binding, bound);
    const canSeal = (message.flags & WHAT_SEALING_NEEDS) === WHAT_SEALING_NEEDS;
    return { account, sealing: canSeal ? createNtlmSealing(exportedKey, message.flags, 'server') : null };
  }
}

function readResponse(message: NtlmAuthenticate): Ntlmv2Response {
  if (message.ntResponse.length <= 24) throw new Refusal('NTLMv1'); // its response has exactly 24 bytes
  return decodeNtlmv2Response(message.ntResponse);
}

function exportedSessionKey(message: NtlmAuthenticate, keyExchangeKey: Uint8Array): Uint8Array {
  if ((message.flags & NTLM_FLAG.keyExchange) === 0) return keyExchangeKey;
  if (message.encryptedSessionKey.length !== 16) throw new Refusal('a session key that is not 16 bytes');
  return new Rc4(keyExchangeKey).apply(message.encryptedSessionKey);
}

function promisesMic(response: Ntlmv2Response): boolean {
  const flags = response.avPairs.find((pair) => pair.id === AV_ID.flags)?.value;
  return flags !== undefined && ((flags[0] ?? 0) & AV_FLAG_MIC) !== 0;
}

const WHAT_WE_ALWAYS_SAY =
  NTLM_FLAG.unicode |
  NTLM_FLAG.requestTarget |
  NTLM_FLAG.ntlm |
  NTLM_FLAG.targetTypeServer |
  NTLM_FLAG.targetInfo |
  NTLM_FLAG.version;

const WHAT_THE_CLIENT_DECIDES =
  NTLM_FLAG.sign |
  NTLM_FLAG.seal |
  NTLM_FLAG.alwaysSign |
  NTLM_FLAG.extendedSessionSecurity |
  NTLM_FLAG.key128 |
  NTLM_FLAG.keyExchange |
  NTLM_FLAG.key56;

const WHAT_SEALING_NEEDS =
  NTLM_FLAG.seal | NTLM_FLAG.extendedSessionSecurity | NTLM_FLAG.key128 | NTLM_FLAG.keyExchange;
