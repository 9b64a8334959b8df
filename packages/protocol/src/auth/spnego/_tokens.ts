import { concatBytes, equalBytes } from '../../bytes/bytes.ts';
import { contextTag, DER, DerReader, derValue, oidText } from '../../codec/der.ts';
import { fail } from '../../errors.ts';

/** SPNEGO's two tokens, both directions. RFC 4178, section 4.2; [MS-SPNG] 2.2.1 for NegTokenInit2. */

/** Object identifiers of mechanisms, as DER values with tag and length. */
export const MECHANISM_OID = {
  spnego: Uint8Array.of(0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02),
  ntlm: Uint8Array.of(0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a),
  kerberos: Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02),
  microsoftKerberos: Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02),
} as const;

/** RFC 4178, section 4.2.1. */
export interface NegTokenInit {
  readonly kind: 'init';
  /** Mechanisms, preferred first, as DER values with tag and length. */
  readonly mechTypes: readonly Uint8Array[];
  /** The MechTypeList exactly as sent: what mechListMIC is computed over. */
  readonly mechTypeList: Uint8Array;
  /** The optimistic token of the first mechanism. */
  readonly mechToken: Uint8Array | null;
  readonly mechListMic: Uint8Array | null;
}

/** RFC 4178, section 4.2.2. */
export type NegState = 'accept-completed' | 'accept-incomplete' | 'reject' | 'request-mic';

/** RFC 4178, section 4.2.2. */
export interface NegTokenResp {
  readonly kind: 'resp';
  readonly negState: NegState | null;
  /** As a DER value with tag and length. */
  readonly supportedMech: Uint8Array | null;
  readonly responseToken: Uint8Array | null;
  readonly mechListMic: Uint8Array | null;
}

const APPLICATION_0 = 0x60;
const NEG_STATES = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const;
/** More mechanisms than anybody lists; Windows lists four. */
const MAX_MECHANISMS = 64;

/** The DER of a MechTypeList: what NegTokenInit carries in `[0]` and mechListMIC is computed over. */
export function encodeMechTypeList(mechTypes: readonly Uint8Array[]): Uint8Array {
  return derValue(DER.sequence, ...mechTypes);
}

/** Writes the first token of a negotiation, in its GSS frame. */
export function encodeNegTokenInit(mechTypeList: Uint8Array, mechToken: Uint8Array | null): Uint8Array {
  const fields = concatBytes(derValue(contextTag(0), mechTypeList), optionalOctets(2, mechToken));
  return derValue(APPLICATION_0, MECHANISM_OID.spnego, derValue(contextTag(0), derValue(DER.sequence, fields)));
}

/** Writes any later token of either side. */
export function encodeNegTokenResp(token: Omit<NegTokenResp, 'kind'>): Uint8Array {
  const fields: Uint8Array[] = [];
  if (token.negState !== null) {
    const state = Uint8Array.of(NEG_STATES.indexOf(token.negState));
    fields.push(derValue(contextTag(0), derValue(DER.enumerated, state)));
  }
  if (token.supportedMech !== null) fields.push(derValue(contextTag(1), token.supportedMech));
  fields.push(optionalOctets(2, token.responseToken), optionalOctets(3, token.mechListMic));
  return derValue(contextTag(1), derValue(DER.sequence, ...fields));
}

/** Reads either token. @param stage for the error @throws auth.malformed-token */
export function decodeSpnegoToken(bytes: Uint8Array, stage: string): NegTokenInit | NegTokenResp {
  const malformed = (problem: string): never =>
    fail('auth.malformed-token', { mechanism: 'Negotiate', stage, problem });
  const reader = new DerReader(bytes, malformed);
  const tag = reader.peekTag();
  let token: NegTokenInit | NegTokenResp;
  if (tag === contextTag(1)) token = readResp(reader.inside(contextTag(1)), malformed);
  // Seen in the wild: NegTokenInit without its GSS frame
  else if (tag === contextTag(0)) token = readInit(reader.inside(contextTag(0)), malformed);
  else {
    const frame = reader.inside(APPLICATION_0);
    const oid = frame.takeEncoded(DER.objectIdentifier);
    if (!equalBytes(oid, MECHANISM_OID.spnego)) malformed(`a token of ${mechanismName(oid)} without SPNEGO around it`);
    token = readInit(frame.inside(contextTag(0)), malformed);
    frame.end();
  }
  reader.end();
  return token;
}

/** What to call a mechanism in an error. @param oid DER value with tag and length */
export function mechanismName(oid: Uint8Array): string {
  if (equalBytes(oid, MECHANISM_OID.ntlm)) return 'NTLM';
  if (equalBytes(oid, MECHANISM_OID.kerberos) || equalBytes(oid, MECHANISM_OID.microsoftKerberos)) return 'Kerberos';
  return oidText(oid.subarray(2)) ?? 'an unknown mechanism';
}

function readInit(outer: DerReader, malformed: (problem: string) => never): NegTokenInit {
  const fields = outer.inside(DER.sequence);
  outer.end();
  const wrapped = fields.inside(contextTag(0));
  const mechTypeList = wrapped.takeEncoded(DER.sequence);
  wrapped.end();
  fields.takeOptional(contextTag(1)); // reqFlags: never sent, ignored. RFC 4178, section 4.2.1
  const mechToken = readOctets(fields, 2);
  // [MS-SPNG] 2.2.1: in NegTokenInit2 [3] holds hints, and the MIC moves to [4]
  const third = fields.insideOptional(contextTag(3));
  let mechListMic: Uint8Array | null = null;
  if (third?.peekTag() === DER.octetString) {
    mechListMic = third.take(DER.octetString);
    third.end();
  } else mechListMic = readOctets(fields, 4);
  fields.end();
  return { kind: 'init', mechTypes: readMechTypes(mechTypeList, malformed), mechTypeList, mechToken, mechListMic };
}

function readMechTypes(mechTypeList: Uint8Array, malformed: (problem: string) => never): Uint8Array[] {
  const list = new DerReader(mechTypeList, malformed).inside(DER.sequence);
  const mechTypes: Uint8Array[] = [];
  while (!list.isAtEnd) {
    if (mechTypes.length === MAX_MECHANISMS) malformed('too many mechanisms');
    mechTypes.push(list.takeEncoded(DER.objectIdentifier));
  }
  return mechTypes.length > 0 ? mechTypes : malformed('no mechanism');
}

function readResp(outer: DerReader, malformed: (problem: string) => never): NegTokenResp {
  const fields = outer.inside(DER.sequence);
  outer.end();
  const stateField = fields.insideOptional(contextTag(0));
  const state = stateField?.take(DER.enumerated);
  stateField?.end();
  if (state !== undefined && (state.length !== 1 || NEG_STATES[state[0] as number] === undefined))
    malformed('an unknown negState');
  const mechField = fields.insideOptional(contextTag(1));
  const supportedMech = mechField?.takeEncoded(DER.objectIdentifier) ?? null;
  mechField?.end();
  const responseToken = readOctets(fields, 2);
  const mechListMic = readOctets(fields, 3);
  fields.end();
  const negState = state === undefined ? null : (NEG_STATES[state[0] as number] ?? null);
  return { kind: 'resp', negState, supportedMech, responseToken, mechListMic };
}

function readOctets(fields: DerReader, number: number): Uint8Array | null {
  const field = fields.insideOptional(contextTag(number));
  if (field === null) return null;
  const octets = field.take(DER.octetString);
  field.end();
  return octets;
}

function optionalOctets(number: number, octets: Uint8Array | null): Uint8Array {
  return octets === null ? new Uint8Array(0) : derValue(contextTag(number), derValue(DER.octetString, octets));
}
