import { equalBytes, NO_BYTES } from '../../bytes/bytes.ts';
import { fail } from '../../errors.ts';
import type { AuthReply } from '../../security.ts';
import type { AuthExchange } from '../_mechanism.ts';
import type { NtlmAnswer, NtlmOptions } from '../ntlm/ntlm.ts';
import { isNtlmToken, NtlmClient } from '../ntlm/ntlm.ts';
import type { NegTokenResp } from './_tokens.ts';
import {
  decodeSpnegoToken,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  MECHANISM_OID,
  mechanismName,
} from './_tokens.ts';

const MECHANISM = 'Negotiate';

/**
 * SPNEGO that offers NTLM, with the NEGOTIATE message already in the first token.
 *
 * RFC 4178; [MS-SPNG] 3.1.5 and 3.3.5.1
 * INVARIANT: both ends sign the list, or there is no sign-in. After mechListMIC the RC4 stream of that direction starts
 * anew and its counter goes on, so the first sealed message is number 1, on a fresh stream.
 * @throws auth.*
 */
export function* spnegoExchange(options: NtlmOptions): AuthExchange {
  const ntlm = new NtlmClient(options);
  const mechTypeList = encodeMechTypeList([MECHANISM_OID.ntlm]);
  const opening = encodeNegTokenInit(mechTypeList, ntlm.negotiate());
  const challenge = readOffer(yield { to: 'peer', stage: 'negotiate', token: opening, keyed: null });
  const answer = ntlm.answer(challenge);
  const closing = encodeNegTokenResp({
    negState: 'accept-incomplete',
    supportedMech: null,
    responseToken: answer.token,
    // [MS-SPNG] 3.3.5.1: an AUTHENTICATE with a MIC, and ours has one always, obliges us to sign the list
    mechListMic: signList(answer, mechTypeList),
  });
  const reply = yield { to: 'peer', stage: 'authenticate', token: closing, keyed: answer.sealing };
  const final = readFinal(reply, options);
  // We have signed, so nobody has anything to ask any more. RFC 4178, section 5
  if (reply.verdict === 'challenged') incomplete('authenticate');
  if (final.negState === 'accept-incomplete' || final.negState === 'request-mic') incomplete('authenticate');
  // A server that took our signature owes us its own; without it nobody knows where its stream stands
  if (final.mechListMic !== null) verifyList(answer, mechTypeList, final.mechListMic);
  else if (reply.token === null) incomplete('mic');
  else fail('auth.mutual-failed', { mechanism: MECHANISM, stage: 'mic' });
  return answer.sealing;
}

/** The server's first token: which mechanism it took, and that mechanism's challenge. */
function readOffer(reply: AuthReply): Uint8Array {
  const stage = 'negotiate';
  if (reply.verdict === 'rejected') fail('auth.no-common-mechanism', { offered: 'none', wanted: 'NTLM' });
  if (reply.verdict === 'accepted' || reply.token === null) incomplete(stage);
  const token = readResp(reply.token, stage);
  const chosen = token.supportedMech ?? MECHANISM_OID.ntlm;
  if (token.negState === 'reject' || !equalBytes(chosen, MECHANISM_OID.ntlm)) {
    const offered = token.supportedMech === null ? 'none' : mechanismName(token.supportedMech);
    fail('auth.no-common-mechanism', { offered, wanted: 'NTLM' });
  }
  if (token.negState === 'accept-completed') malformed(stage, 'accepted before we have authenticated');
  if (token.mechListMic !== null) malformed(stage, 'a mechListMIC before there are keys');
  return token.responseToken ?? malformed(stage, 'no token of NTLM');
}

/** The server's verdict; no token at all reads as an empty one. */
function readFinal(reply: AuthReply, options: NtlmOptions): NegTokenResp {
  const stage = 'authenticate';
  const rejected = { mechanism: MECHANISM, stage, user: options.credential.user };
  if (reply.verdict === 'rejected') fail('auth.rejected', rejected);
  if (reply.token === null)
    return { kind: 'resp', negState: null, supportedMech: null, responseToken: null, mechListMic: null };
  const token = readResp(reply.token, stage);
  if (token.negState === 'reject') fail('auth.rejected', rejected);
  if (isNtlmToken(token.responseToken ?? NO_BYTES)) malformed(stage, 'a second CHALLENGE');
  return token;
}

function readResp(bytes: Uint8Array, stage: string): NegTokenResp {
  if (isNtlmToken(bytes)) malformed(stage, 'raw NTLM in answer to SPNEGO');
  const token = decodeSpnegoToken(bytes, stage);
  if (token.kind === 'init') malformed(stage, 'NegTokenInit in answer to NegTokenInit');
  // QUIRK: some old servers copy responseToken into mechListMIC; such a copy signs nothing
  const isCopy =
    token.mechListMic !== null && token.responseToken !== null && equalBytes(token.mechListMic, token.responseToken);
  return isCopy ? { ...token, mechListMic: null } : token;
}

function signList({ sealing }: NtlmAnswer, mechTypeList: Uint8Array): Uint8Array {
  const mic = sealing.sign(mechTypeList);
  sealing.restartOutgoing();
  return mic;
}

function verifyList({ sealing }: NtlmAnswer, mechTypeList: Uint8Array, mic: Uint8Array): void {
  if (!sealing.verify(mechTypeList, mic)) fail('auth.mutual-failed', { mechanism: MECHANISM, stage: 'mic' });
  sealing.restartIncoming();
}

function malformed(stage: string, problem: string): never {
  fail('auth.malformed-token', { mechanism: MECHANISM, stage, problem });
}

function incomplete(stage: string): never {
  fail('auth.incomplete', { mechanism: MECHANISM, stage });
}
