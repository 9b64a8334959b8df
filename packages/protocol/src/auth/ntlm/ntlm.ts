import { NO_BYTES, utf16leEncode } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/cursor.ts';
import { Rc4 } from '../../crypto/legacy.ts';
import { fail } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import type { AuthExchange } from '../_mechanism.ts';
import { channelBindingHash } from '../binding.ts';
import type { Credential } from '../credential.ts';
import { encodeClientChallenge, messageIntegrityCode, ntHash, ntowfV2, ntProof, sessionBaseKey } from './_keys.ts';
import type { AvPair, NtlmChallenge, NtlmVersion } from './_messages.ts';
import {
  AV_FLAG_MIC,
  AV_ID,
  decodeChallenge,
  encodeAuthenticate,
  encodeNegotiate,
  isNtlmMessage,
  MAX_FIELD_BYTES,
  NTLM_FLAG,
  withMic,
} from './_messages.ts';
import type { NtlmSealing } from './_seal.ts';
import { createNtlmSealing } from './_seal.ts';

/** What the client's half of NTLM needs. */
export interface NtlmOptions {
  readonly credential: Credential;
  /** The service we believe to be talking to, `http/host`. */
  readonly spn: string;
  /** The name of the client's machine, for the server's log. */
  readonly workstation: string;
  /** Application data of the channel binding, or null without TLS. */
  readonly binding: Uint8Array | null;
  readonly platform: Platform;
  /** What our build calls itself; ours unless told. */
  readonly version?: NtlmVersion;
  /** Nothing will be signed or sealed after the sign-in, so the server need not grant what that takes. */
  readonly isWithoutMessages?: boolean;
}

/** What a CHALLENGE is answered with. The AUTHENTICATE always carries a MIC, so SPNEGO must sign its mechanism list. */
export interface NtlmAnswer {
  /** The AUTHENTICATE message. */
  readonly token: Uint8Array;
  readonly sealing: NtlmSealing;
}

/** Our own version, as VERSION wants it. */
const OUR_VERSION: NtlmVersion = { major: 0, minor: 1, build: 0 };

/**
 * What we offer. Without SIGN, SEAL, extended session security, key exchange and 128 bits no message could be sealed;
 * LM_KEY and the OEM names are never sent.
 */
const OFFERED_FLAGS =
  (NTLM_FLAG.unicode |
    NTLM_FLAG.oem |
    NTLM_FLAG.requestTarget |
    NTLM_FLAG.sign |
    NTLM_FLAG.seal |
    NTLM_FLAG.ntlm |
    NTLM_FLAG.alwaysSign |
    NTLM_FLAG.extendedSessionSecurity |
    NTLM_FLAG.version |
    NTLM_FLAG.key128 |
    NTLM_FLAG.keyExchange |
    NTLM_FLAG.key56) >>>
  0;

/** What the server must choose of it. [MS-NLMP] 3.1.5.1.2: too weak for our policy is an error. */
const REQUIRED_FLAGS = [
  ['UNICODE', NTLM_FLAG.unicode],
  ['TARGET_INFO', NTLM_FLAG.targetInfo],
  ['EXTENDED_SESSIONSECURITY', NTLM_FLAG.extendedSessionSecurity],
  ['SIGN', NTLM_FLAG.sign],
  ['SEAL', NTLM_FLAG.seal],
  ['KEY_EXCH', NTLM_FLAG.keyExchange],
  ['128', NTLM_FLAG.key128],
] as const;

/**
 * What is left of it where no message follows. QUIRK: Samba's ntlm_auth, behind which most Squids stand, grants neither
 * SIGN nor SEAL (auth/ntlmssp/ntlmssp_server.c: only when its caller asks for them).
 */
const SIGN_IN_ONLY = ['UNICODE', 'TARGET_INFO', 'EXTENDED_SESSIONSECURITY'];

/** Never echoed, whatever the server chose: weaker keys, other framings, another character set. */
const REFUSED_FLAGS = NTLM_FLAG.oem | NTLM_FLAG.lmKey | NTLM_FLAG.datagram | NTLM_FLAG.anonymous;

/**
 * NTLMv2 without SPNEGO around it: no mechListMIC, no restart of the streams, first sealed message number 0.
 *
 * [MS-NLMP] 3.1.5.1; [MS-NTHT] for HTTP
 * @throws auth.*
 */
export function* ntlmExchange(options: NtlmOptions): AuthExchange {
  const client = new NtlmClient(options);
  const offer = yield { to: 'peer', stage: 'negotiate', token: client.negotiate(), keyed: null };
  if (offer.verdict === 'rejected') fail('auth.no-common-mechanism', { offered: 'none', wanted: 'NTLM' });
  // Success before we have authenticated: whoever answers is not to be believed
  if (offer.verdict === 'accepted' || offer.token === null)
    fail('auth.incomplete', { mechanism: 'NTLM', stage: 'negotiate' });
  const { token, sealing } = client.answer(offer.token);
  const verdict = yield { to: 'peer', stage: 'authenticate', token, keyed: sealing };
  if (verdict.verdict === 'rejected')
    fail('auth.rejected', { mechanism: 'NTLM', stage: 'authenticate', user: options.credential.user });
  if (verdict.verdict === 'challenged') malformed('authenticate', 'a second CHALLENGE');
  return sealing;
}

/** Whether a token is NTLM's own, with nothing around it. */
export function isNtlmToken(token: Uint8Array): boolean {
  return isNtlmMessage(token);
}

/** The client's half of one NTLM conversation; `negotiate`, then `answer`, each once. */
export class NtlmClient {
  readonly #options: NtlmOptions;
  readonly #version: NtlmVersion;
  #negotiate: Uint8Array | null = null;

  constructor(options: NtlmOptions) {
    this.#options = options;
    this.#version = options.version ?? OUR_VERSION;
  }

  /**
   * The NEGOTIATE message.
   *
   * QUIRK: gss-ntlmssp 1.2.0 refuses one below 40 bytes, that is without Version; other servers misbehave too.
   */
  negotiate(): Uint8Array {
    this.#negotiate = encodeNegotiate({
      flags: OFFERED_FLAGS,
      domain: NO_BYTES,
      workstation: NO_BYTES,
      version: this.#version,
    });
    return this.#negotiate;
  }

  /**
   * Answers a CHALLENGE. [MS-NLMP] 3.1.5.1.2
   *
   * @throws auth.malformed-token, auth.too-weak, misuse.wrong-state
   */
  answer(challengeBytes: Uint8Array): NtlmAnswer {
    const negotiate = this.#negotiate ?? fail('misuse.wrong-state', { action: 'answer', state: 'fresh' });
    this.#negotiate = null;
    const { credential, platform, workstation, spn, binding } = this.#options;
    const challenge = decodeChallenge(challengeBytes);
    const { serverPairs, timestamp } = requireStrength(challenge, this.#options.isWithoutMessages ?? false);
    const clientChallenge = platform.random(8);
    const hash = ntHash(credential.secret.reveal());
    const responseKey = ntowfV2(hash, credential.user, credential.domain);
    const avPairs = answerAvPairs(serverPairs, { spn, binding });
    const temp = encodeClientChallenge(timestamp, clientChallenge, avPairs);
    if (16 + temp.length > MAX_FIELD_BYTES) malformed('challenge', 'target information too long to answer');
    const proof = ntProof(responseKey, challenge.serverChallenge, temp);
    const ntResponse = new ByteWriter(16 + temp.length).bytes(proof).bytes(temp).finish();
    const keyExchangeKey = sessionBaseKey(responseKey, proof);
    // SPEC: [MS-NLMP] 3.1.5.1.2: without key exchange the session's key is the one both ends derive
    const isExchanged = (challenge.flags & NTLM_FLAG.keyExchange) !== 0;
    const exportedSessionKey = isExchanged ? platform.random(16) : keyExchangeKey.slice();
    const flags = ((challenge.flags & ~REFUSED_FLAGS) | NTLM_FLAG.version) >>> 0;
    const unsigned = encodeAuthenticate({
      flags,
      // SPEC: [MS-NLMP] 3.1.5.1.2: with a timestamp from the server the LM response is 24 zeros
      lmResponse: new Uint8Array(24),
      ntResponse,
      domain: credential.domain,
      user: credential.user,
      workstation,
      encryptedSessionKey: isExchanged ? new Rc4(keyExchangeKey).apply(exportedSessionKey) : NO_BYTES,
      version: this.#version,
      mic: new Uint8Array(16), // the field is always there, as Windows has it, so that the payload begins at 88
    });
    const mic = messageIntegrityCode(exportedSessionKey, negotiate, challengeBytes, unsigned);
    const token = withMic(unsigned, mic);
    const sealing = createNtlmSealing(exportedSessionKey, flags, 'client');
    for (const key of [hash, responseKey, keyExchangeKey, exportedSessionKey]) key.fill(0);
    return { token, sealing };
  }
}

/**
 * Refuses what would make sealing weak or NTLMv2 impossible; gives the server's AV pairs and its clock.
 *
 * The clock is no matter of time: with it the client owes a MIC over all three messages ([MS-NLMP] 3.1.5.1.2), without
 * it none, so whoever stands in the middle could take the MIC away by taking the clock away. Windows has sent it since
 * Vista, gss-ntlmssp does.
 */
function requireStrength(
  challenge: NtlmChallenge,
  isWithoutMessages: boolean,
): { serverPairs: readonly AvPair[]; timestamp: bigint } {
  const required = REQUIRED_FLAGS.filter(([name]) => !isWithoutMessages || SIGN_IN_ONLY.includes(name));
  const missing: string[] = required.filter(([, flag]) => (challenge.flags & flag) === 0).map(([name]) => name);
  const pairs = challenge.targetInfo ?? [];
  if (challenge.targetInfo === null && missing.length === 0) missing.push('TARGET_INFO');
  // SPEC: [MS-NLMP] 3.1.5.1.2: with integrity or confidentiality asked for, both names must be there
  if (!pairs.some((pair) => pair.id === AV_ID.nbComputerName)) missing.push('MsvAvNbComputerName');
  if (!pairs.some((pair) => pair.id === AV_ID.nbDomainName)) missing.push('MsvAvNbDomainName');
  const timestamp = findTimestamp(pairs);
  if (timestamp === null) missing.push('MsvAvTimestamp');
  if (missing.length > 0 || timestamp === null)
    fail('auth.too-weak', { mechanism: 'NTLM', missing: missing.join(', ') });
  return { serverPairs: pairs, timestamp };
}

function findTimestamp(pairs: readonly AvPair[]): bigint | null {
  const pair = pairs.find(({ id }) => id === AV_ID.timestamp);
  if (pair === undefined) return null;
  if (pair.value.length !== 8) malformed('challenge', 'MsvAvTimestamp is not 8 bytes');
  return new ByteReader(pair.value, (problem) => malformed('challenge', problem)).u64le();
}

/**
 * The server's pairs in order, less those only a client may write, then ours. A channel binding is sent only when there
 * is one: sixteen zeros do not mean "none" to every server. [MS-NLMP] 3.1.5.1.2
 */
function answerAvPairs(serverPairs: readonly AvPair[], ours: { spn: string; binding: Uint8Array | null }): AvPair[] {
  const isOurs = (id: number): boolean => id === AV_ID.channelBindings || id === AV_ID.targetName || id === AV_ID.flags;
  const pairs = serverPairs.filter(({ id }) => !isOurs(id));
  if (ours.binding !== null) pairs.push({ id: AV_ID.channelBindings, value: channelBindingHash(ours.binding) });
  pairs.push({ id: AV_ID.targetName, value: utf16leEncode(ours.spn) });
  const flags = serverFlags(serverPairs) | AV_FLAG_MIC;
  pairs.push({ id: AV_ID.flags, value: new ByteWriter(4).u32le(flags).finish() });
  return pairs;
}

function serverFlags(pairs: readonly AvPair[]): number {
  const pair = pairs.find(({ id }) => id === AV_ID.flags);
  if (pair === undefined) return 0;
  if (pair.value.length !== 4) malformed('challenge', 'MsvAvFlags is not 4 bytes');
  return new ByteReader(pair.value, (problem) => malformed('challenge', problem)).u32le();
}

function malformed(stage: string, problem: string): never {
  fail('auth.malformed-token', { mechanism: 'NTLM', stage, problem });
}
