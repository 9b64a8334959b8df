import { concatBytes, equalBytes, latin1Decode, NO_BYTES, utf16leDecode, utf16leEncode } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/cursor.ts';
import { fail } from '../../errors.ts';

/** The three NTLM messages, both directions. [MS-NLMP] 2.2.1; all integers little-endian. */

/** NEGOTIATE flags we name. [MS-NLMP] 2.2.2.5 */
export const NTLM_FLAG = {
  unicode: 0x00000001,
  oem: 0x00000002,
  requestTarget: 0x00000004,
  sign: 0x00000010,
  seal: 0x00000020,
  datagram: 0x00000040,
  lmKey: 0x00000080,
  ntlm: 0x00000200,
  anonymous: 0x00000800,
  alwaysSign: 0x00008000,
  targetTypeDomain: 0x00010000,
  targetTypeServer: 0x00020000,
  extendedSessionSecurity: 0x00080000,
  targetInfo: 0x00800000,
  version: 0x02000000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const;

/** What an initiator's build calls itself. [MS-NLMP] 2.2.2.10 VERSION */
export interface NtlmVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

/** [MS-NLMP] 2.2.1.1 NEGOTIATE_MESSAGE. Names travel in the sender's OEM code page, so they stay bytes. */
export interface NtlmNegotiate {
  readonly flags: number;
  readonly domain: Uint8Array;
  readonly workstation: Uint8Array;
  readonly version: NtlmVersion | null;
}

/** [MS-NLMP] 2.2.1.2 CHALLENGE_MESSAGE. */
export interface NtlmChallenge {
  readonly flags: number;
  readonly targetName: string;
  /** 8 bytes */
  readonly serverChallenge: Uint8Array;
  /** null when the message has none, which would mean NTLMv1. */
  readonly targetInfo: readonly AvPair[] | null;
  readonly version: NtlmVersion | null;
}

/** [MS-NLMP] 2.2.1.3 AUTHENTICATE_MESSAGE. */
export interface NtlmAuthenticate {
  readonly flags: number;
  readonly lmResponse: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly domain: string;
  readonly user: string;
  readonly workstation: string;
  readonly encryptedSessionKey: Uint8Array;
  readonly version: NtlmVersion | null;
  /** 16 bytes; null when the message has no such field. */
  readonly mic: Uint8Array | null;
}

/** [MS-NLMP] 2.2.2.1 AV_PAIR, without the MsvAvEOL that ends every list. */
export interface AvPair {
  readonly id: number;
  readonly value: Uint8Array;
}

/** AvId values. [MS-NLMP] 2.2.2.1 */
export const AV_ID = {
  eol: 0,
  nbComputerName: 1,
  nbDomainName: 2,
  dnsComputerName: 3,
  dnsDomainName: 4,
  dnsTreeName: 5,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const;

/** MsvAvFlags bit: the AUTHENTICATE message carries a MIC. [MS-NLMP] 2.2.2.1 */
export const AV_FLAG_MIC = 0x2;

/** Where the MIC lies in an AUTHENTICATE that has a Version: the sum of the fields before it. */
export const MIC_OFFSET = 64 /* fixed fields */ + 8; /* Version */

/** No field of a message is longer: its length has 16 bits. */
export const MAX_FIELD_BYTES = 0xffff;

const SIGNATURE = Uint8Array.of(0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0); // "NTLMSSP\0"
const NEGOTIATE_FIXED_BYTES =
  8 /* Signature */ +
  4 /* MessageType */ +
  4 /* NegotiateFlags */ +
  8 /* DomainNameFields */ +
  8; /* WorkstationFields */
const CHALLENGE_FIXED_BYTES =
  8 /* Signature */ +
  4 /* MessageType */ +
  8 /* TargetNameFields */ +
  4 /* NegotiateFlags */ +
  8 /* ServerChallenge */ +
  8 /* Reserved */ +
  8; /* TargetInfoFields */
const AUTHENTICATE_FIXED_BYTES = 8 /* Signature */ + 4 /* MessageType */ + 6 * 8 /* fields */ + 4; /* NegotiateFlags */
const VERSION_BYTES = 8;
const MIC_BYTES = 16;
/** NTLMSSP_REVISION_W2K3 */
const REVISION = 0x0f;

/** Whether a token is NTLM and not SPNEGO or Kerberos around it. */
export function isNtlmMessage(token: Uint8Array): boolean {
  return equalBytes(token.subarray(0, SIGNATURE.length), SIGNATURE);
}

/** Writes a NEGOTIATE. */
export function encodeNegotiate(message: NtlmNegotiate): Uint8Array {
  const payload = new Payload(NEGOTIATE_FIXED_BYTES + (message.version === null ? 0 : VERSION_BYTES));
  const writer = begin(1).u32le(message.flags);
  payload.field(writer, message.domain);
  payload.field(writer, message.workstation);
  writeVersion(writer, message.version);
  return payload.after(writer);
}

/** Reads a NEGOTIATE. @throws auth.malformed-token */
export function decodeNegotiate(bytes: Uint8Array): NtlmNegotiate {
  const stage = 'negotiate';
  const reader = open(bytes, 1, 16, stage); // old clients stop after the flags
  const flags = reader.u32le();
  const hasNames = reader.remaining >= 16;
  const domain = hasNames ? readField(reader) : NO_FIELD;
  const workstation = hasNames ? readField(reader) : NO_FIELD;
  const hasVersion = (flags & NTLM_FLAG.version) !== 0 && reader.remaining >= VERSION_BYTES;
  return {
    flags,
    domain: reader.slice(domain.offset, domain.length),
    workstation: reader.slice(workstation.offset, workstation.length),
    version: hasVersion ? readVersion(reader) : null,
  };
}

/** Writes a CHALLENGE. */
export function encodeChallenge(message: NtlmChallenge): Uint8Array {
  const payload = new Payload(CHALLENGE_FIXED_BYTES + (message.version === null ? 0 : VERSION_BYTES));
  const writer = begin(2);
  payload.field(writer, utf16leEncode(message.targetName));
  writer.u32le(message.flags).bytes(message.serverChallenge).bytes(new Uint8Array(8));
  payload.field(writer, message.targetInfo === null ? NO_BYTES : encodeAvPairs(message.targetInfo));
  writeVersion(writer, message.version);
  return payload.after(writer);
}

/** Reads a CHALLENGE. @throws auth.malformed-token */
export function decodeChallenge(bytes: Uint8Array): NtlmChallenge {
  const stage = 'challenge';
  const reader = open(bytes, 2, CHALLENGE_FIXED_BYTES, stage);
  const name = readField(reader);
  const flags = reader.u32le();
  const serverChallenge = reader.take(8);
  reader.take(8);
  const info = readField(reader);
  const payloadAt = lowestOffset([name, info], bytes.length);
  const isUnicode = (flags & NTLM_FLAG.unicode) !== 0;
  const hasInfo = (flags & NTLM_FLAG.targetInfo) !== 0 && info.length > 0;
  return {
    flags,
    targetName: readText(reader.slice(name.offset, name.length), isUnicode, stage),
    serverChallenge: new Uint8Array(serverChallenge),
    targetInfo: hasInfo ? decodeAvPairs(reader.slice(info.offset, info.length), stage) : null,
    version: payloadAt >= CHALLENGE_FIXED_BYTES + VERSION_BYTES ? readVersion(reader) : null,
  };
}

/**
 * Writes an AUTHENTICATE, payload in the order LM, NT, domain, user, workstation, key.
 *
 * QUIRK: gss-ntlmssp 1.2.0 refuses a message whose payload begins before byte 72, that is one without Version; with
 * Version and MIC it begins at 88, as Windows writes it.
 */
export function encodeAuthenticate(message: NtlmAuthenticate): Uint8Array {
  const payload = new Payload(
    AUTHENTICATE_FIXED_BYTES + (message.version === null ? 0 : VERSION_BYTES) + (message.mic === null ? 0 : MIC_BYTES),
  );
  const writer = begin(3);
  payload.field(writer, message.lmResponse);
  payload.field(writer, message.ntResponse);
  payload.field(writer, utf16leEncode(message.domain));
  payload.field(writer, utf16leEncode(message.user));
  payload.field(writer, utf16leEncode(message.workstation));
  payload.field(writer, message.encryptedSessionKey);
  writer.u32le(message.flags);
  writeVersion(writer, message.version);
  if (message.mic !== null) writer.bytes(message.mic);
  return payload.after(writer);
}

/** Reads an AUTHENTICATE. Version and MIC have no flag: where the payload begins tells. @throws auth.malformed-token */
export function decodeAuthenticate(bytes: Uint8Array): NtlmAuthenticate {
  const stage = 'authenticate';
  const reader = open(bytes, 3, AUTHENTICATE_FIXED_BYTES, stage);
  const fields = Array.from({ length: 6 }, () => readField(reader));
  const [lmResponse, ntResponse, domain, user, workstation, encryptedSessionKey] = fields.map((field) =>
    reader.slice(field.offset, field.length),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const flags = reader.u32le();
  const { hasVersion, hasMic } = optionalFields(lowestOffset(fields, bytes.length));
  const isUnicode = (flags & NTLM_FLAG.unicode) !== 0;
  return {
    flags,
    lmResponse,
    ntResponse,
    domain: readText(domain, isUnicode, stage),
    user: readText(user, isUnicode, stage),
    workstation: readText(workstation, isUnicode, stage),
    encryptedSessionKey,
    version: hasVersion ? readVersion(reader) : null,
    mic: hasMic ? reader.take(MIC_BYTES) : null,
  };
}

/** A copy of an AUTHENTICATE with the MIC written into its place; with zeros, the text the MIC is computed over. */
export function withMic(authenticate: Uint8Array, mic: Uint8Array): Uint8Array {
  const copy = new Uint8Array(authenticate); // not slice, which on a Node Buffer copies nothing
  const fields = Array.from({ length: 6 }, (_, i) => readFieldAt(authenticate, 12 + 8 * i));
  const { hasVersion } = optionalFields(lowestOffset(fields, authenticate.length));
  copy.set(mic, hasVersion ? MIC_OFFSET : AUTHENTICATE_FIXED_BYTES);
  return copy;
}

/** Writes a list of AV pairs and the MsvAvEOL after it. */
export function encodeAvPairs(pairs: readonly AvPair[]): Uint8Array {
  const writer = new ByteWriter();
  for (const pair of pairs) writer.u16le(pair.id).u16le(pair.value.length).bytes(pair.value);
  return writer.u16le(AV_ID.eol).u16le(0).finish();
}

/** Reads AV pairs up to MsvAvEOL, which must be there; what follows it is padding. @throws auth.malformed-token */
export function decodeAvPairs(bytes: Uint8Array, stage: string): AvPair[] {
  const reader = new ByteReader(bytes, (problem) => malformed(stage, `AV pairs: ${problem}`));
  const pairs: AvPair[] = [];
  for (;;) {
    const id = reader.u16le();
    const value = reader.take(reader.u16le());
    if (id === AV_ID.eol) return pairs;
    pairs.push({ id, value: new Uint8Array(value) });
  }
}

/** The NTLMv2 response taken apart. [MS-NLMP] 2.2.2.8 NTLMv2_RESPONSE, 2.2.2.7 NTLMv2_CLIENT_CHALLENGE */
export interface Ntlmv2Response {
  /** NTProofStr, 16 bytes. */
  readonly proof: Uint8Array;
  /** The rest, which the proof is computed over. */
  readonly clientChallenge: Uint8Array;
  /** FILETIME: 100 ns since 1601. */
  readonly time: bigint;
  readonly avPairs: readonly AvPair[];
}

/** Reads an NTLMv2 response, as an acceptor must. @throws auth.malformed-token, also for a response of NTLMv1 */
export function decodeNtlmv2Response(bytes: Uint8Array): Ntlmv2Response {
  const stage = 'authenticate';
  const reader = new ByteReader(bytes, (problem) => malformed(stage, `NTLMv2 response: ${problem}`));
  const proof = reader.take(16);
  const clientChallenge = bytes.subarray(16);
  if (reader.u16le() !== 0x0101) malformed(stage, 'NTLMv2 response: version');
  reader.take(6);
  const time = reader.u64le();
  reader.take(8 /* ChallengeFromClient */ + 4 /* Reserved3 */);
  return { proof, clientChallenge, time, avPairs: decodeAvPairs(reader.rest(), stage) };
}

interface Field {
  readonly length: number;
  readonly offset: number;
}

const NO_FIELD: Field = { length: 0, offset: 0 };

/** Collects what the fixed part points at. */
class Payload {
  readonly #parts: Uint8Array[] = [];
  #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  field(writer: ByteWriter, value: Uint8Array): void {
    if (value.length > MAX_FIELD_BYTES)
      fail('misuse.bad-argument', { argument: 'NTLM field', reason: 'too-long', limit: MAX_FIELD_BYTES });
    writer.u16le(value.length).u16le(value.length).u32le(this.#offset);
    this.#parts.push(value);
    this.#offset += value.length;
  }

  after(writer: ByteWriter): Uint8Array {
    return concatBytes(writer.finish(), ...this.#parts);
  }
}

function begin(type: number): ByteWriter {
  return new ByteWriter().bytes(SIGNATURE).u32le(type);
}

function open(bytes: Uint8Array, type: number, fixedBytes: number, stage: string): ByteReader {
  if (!isNtlmMessage(bytes)) malformed(stage, 'no NTLMSSP signature');
  if (bytes.length < fixedBytes) malformed(stage, `${bytes.length} bytes where ${fixedBytes} are fixed`);
  const reader = new ByteReader(bytes, (problem) => malformed(stage, problem));
  reader.take(SIGNATURE.length);
  const found = reader.u32le();
  if (found !== type) malformed(stage, `message type ${found}`);
  return reader;
}

function readField(reader: ByteReader): Field {
  const length = reader.u16le();
  reader.u16le(); // MaxLen, to be ignored on receipt
  return { length, offset: reader.u32le() };
}

function readFieldAt(bytes: Uint8Array, at: number): Field {
  return readField(new ByteReader(bytes.subarray(at), (problem) => malformed('authenticate', problem)));
}

/** Empty fields may point anywhere, so only the others count. */
function lowestOffset(fields: readonly Field[], otherwise: number): number {
  return Math.min(otherwise, ...fields.filter((field) => field.length > 0).map((field) => field.offset));
}

function optionalFields(payloadAt: number): { hasVersion: boolean; hasMic: boolean } {
  const room = payloadAt - AUTHENTICATE_FIXED_BYTES;
  const hasMic = room >= MIC_BYTES;
  return { hasVersion: room >= VERSION_BYTES && (!hasMic || room >= VERSION_BYTES + MIC_BYTES), hasMic };
}

function writeVersion(writer: ByteWriter, version: NtlmVersion | null): void {
  if (version === null) return;
  writer.u8(version.major).u8(version.minor).u16le(version.build).bytes(new Uint8Array(3)).u8(REVISION);
}

function readVersion(reader: ByteReader): NtlmVersion {
  const version = { major: reader.u8(), minor: reader.u8(), build: reader.u16le() };
  reader.take(4);
  return version;
}

function readText(bytes: Uint8Array, isUnicode: boolean, stage: string): string {
  return isUnicode ? (utf16leDecode(bytes) ?? malformed(stage, 'half a character')) : latin1Decode(bytes);
}

function malformed(stage: string, problem: string): never {
  fail('auth.malformed-token', { mechanism: 'NTLM', stage, problem });
}
