import { isNtlmMessage } from '../../protocol/src/auth/ntlm/_messages.ts';
import {
  decodeSpnegoToken,
  encodeNegTokenResp,
  MECHANISM_OID,
  type NegTokenInit,
  type NegTokenResp,
} from '../../protocol/src/auth/spnego/_tokens.ts';
import { equalBytes } from '../../protocol/src/bytes/bytes.ts';
import type { AccountBook } from './accounts.ts';
import type { ExpectedBinding } from './channel-binding.ts';
import { type AcceptedPeer, NtlmAcceptor } from './ntlm-acceptor.ts';
import { Refusal } from './refusal.ts';

/** The answer to one token. */
export type AcceptorStep =
  | { readonly isFinished: false; readonly token: Uint8Array }
  | { readonly isFinished: true; readonly token: Uint8Array | null; readonly peer: AcceptedPeer };

/**
 * The server's side of the Negotiate scheme on one connection: SPNEGO around NTLM, or NTLM as it is; the answer comes in
 * the dialect of the question. RFC 4559, section 4; RFC 4178, section 4.2; [MS-SPNG] 3.2.
 */
export class NegotiateAcceptor {
  readonly #ntlm: NtlmAcceptor;
  readonly #onlyRaw: boolean;
  #dialect: 'undecided' | 'NTLM' | 'SPNEGO' = 'undecided';
  #mechTypeList: Uint8Array | null = null;
  #needsMic = false;

  /** @param scheme NTLM admits no SPNEGO @param binding null where there is no TLS */
  constructor(
    accounts: AccountBook,
    computerName: string,
    scheme: 'Negotiate' | 'NTLM',
    binding: ExpectedBinding | null = null,
  ) {
    this.#ntlm = new NtlmAcceptor(accounts, computerName, binding);
    this.#onlyRaw = scheme === 'NTLM';
  }

  /** What the client speaks, for the journal. */
  get dialect(): 'undecided' | 'NTLM' | 'SPNEGO' {
    return this.#dialect;
  }

  /** @throws Refusal, auth.malformed-token */
  step(token: Uint8Array): AcceptorStep {
    if (this.#dialect === 'undecided') this.#dialect = isNtlmMessage(token) || this.#onlyRaw ? 'NTLM' : 'SPNEGO';
    if (this.#dialect === 'SPNEGO') return this.#stepSpnego(token);
    if (!this.#ntlm.hasChallenged) return { isFinished: false, token: this.#ntlm.challenge(token) };
    return { isFinished: true, token: null, peer: this.#ntlm.verify(token) };
  }

  #stepSpnego(bytes: Uint8Array): AcceptorStep {
    const token = decodeSpnegoToken(bytes, 'acceptor');
    if (token.kind === 'init') return this.#begin(token);
    if (this.#mechTypeList === null) throw new Refusal('NegTokenResp before NegTokenInit');
    if (token.negState === 'reject') throw new Refusal('the client rejects');
    if (token.responseToken === null) throw new Refusal('NegTokenResp without a token');
    if (!this.#ntlm.hasChallenged) return this.#challenge(token.responseToken, null);
    return this.#finish(token, token.responseToken, this.#mechTypeList);
  }

  #begin(token: NegTokenInit): AcceptorStep {
    if (this.#mechTypeList !== null) throw new Refusal('a second NegTokenInit');
    const at = token.mechTypes.findIndex((mechanism) => equalBytes(mechanism, MECHANISM_OID.ntlm));
    if (at < 0) throw new Refusal('no mechanism in common');
    this.#mechTypeList = token.mechTypeList.slice();
    if (at === 0 && token.mechToken !== null) return this.#challenge(token.mechToken, 'accept-incomplete');
    // RFC 4178, section 5: when it is not the client's first choice, both must prove they saw the same list.
    this.#needsMic = at > 0;
    const negState = this.#needsMic ? 'request-mic' : 'accept-incomplete';
    return { isFinished: false, token: answer({ negState, supportedMech: MECHANISM_OID.ntlm }) };
  }

  #challenge(negotiate: Uint8Array, first: 'accept-incomplete' | null): AcceptorStep {
    const responseToken = this.#ntlm.challenge(negotiate);
    const supportedMech = first === null ? null : MECHANISM_OID.ntlm;
    return { isFinished: false, token: answer({ negState: 'accept-incomplete', supportedMech, responseToken }) };
  }

  #finish(token: NegTokenResp, authenticate: Uint8Array, mechTypeList: Uint8Array): AcceptorStep {
    const peer = this.#ntlm.verify(authenticate);
    const { sealing } = peer;
    if (token.mechListMic === null || sealing === null) {
      if (this.#needsMic) throw new Refusal('mechListMIC is missing');
      return { isFinished: true, token: answer({ negState: 'accept-completed' }), peer };
    }
    if (!sealing.verify(mechTypeList, token.mechListMic)) throw new Refusal('wrong mechListMIC');
    const mechListMic = sealing.sign(mechTypeList);
    // [MS-SPNG] 3.3.5.1: both ciphers start anew after the MICs, the counters go on.
    sealing.restartIncoming();
    sealing.restartOutgoing();
    return { isFinished: true, token: answer({ negState: 'accept-completed', mechListMic }), peer };
  }
}

function answer(token: Partial<Omit<NegTokenResp, 'kind'>>): Uint8Array {
  return encodeNegTokenResp({ negState: null, supportedMech: null, responseToken: null, mechListMic: null, ...token });
}
