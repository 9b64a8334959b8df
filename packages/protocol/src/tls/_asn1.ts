import type { OnUnderrun } from '../bytes/cursor.ts';
import { DerReader, oidText } from '../codec/der.ts';

/** The ASN.1 values that certificates and key files share. Problems go to the reader's own `onProblem`. */

/** Tags beside those of `codec/der.ts`. X.680, section 8.6. */
export const ASN1 = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a primitive, context-specific field: `[number] IMPLICIT`. */
export function implicitTag(number: number): number {
  return 0x80 | number;
}

/** The one value of `tag` that a byte string holds, as a reader of its content. */
export function onlyValue(bytes: Uint8Array, tag: number, onProblem: OnUnderrun): DerReader {
  const outer = new DerReader(bytes, onProblem);
  const inner = outer.inside(tag);
  outer.end();
  return inner;
}

/** Content octets of an INTEGER, shortest form. X.690, section 8.3 */
export function takeInteger(reader: DerReader, onProblem: OnUnderrun, tag: number = ASN1.integer): Uint8Array {
  const content = reader.take(tag);
  const [first, second] = content;
  if (first === undefined) return onProblem('an empty INTEGER');
  const isPadded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  return isPadded ? onProblem('an INTEGER longer than need be') : content;
}

/** A positive INTEGER of any size: its magnitude without a sign byte. */
export function takeMagnitude(reader: DerReader, onProblem: OnUnderrun): Uint8Array {
  const content = takeInteger(reader, onProblem);
  const first = content[0] as number;
  if (first >= 0x80) return onProblem('a negative INTEGER');
  return first === 0 ? content.subarray(1) : content;
}

/** A small INTEGER that is not negative: at most 4 bytes. */
export function takeSmall(reader: DerReader, onProblem: OnUnderrun, tag: number = ASN1.integer): number {
  const content = takeInteger(reader, onProblem, tag);
  if (content.length > 4 || (content[0] as number) >= 0x80) return onProblem('an INTEGER out of range');
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

/** Dotted text of an OBJECT IDENTIFIER. */
export function takeOid(reader: DerReader, onProblem: OnUnderrun): string {
  const content = reader.take(ASN1.objectIdentifier);
  if (content.length > MAX_OID_BYTES) onProblem('an OBJECT IDENTIFIER that is too long');
  return oidText(content) ?? onProblem('an ill-formed OBJECT IDENTIFIER');
}

/** Far longer than any in use; errors name identifiers we do not know. */
const MAX_OID_BYTES = 128;

/** BOOLEAN; BER's other spellings of TRUE are refused. X.690, section 11.1 */
export function takeBoolean(reader: DerReader, onProblem: OnUnderrun): boolean {
  const content = reader.take(ASN1.boolean);
  const isOne = content.length === 1 && (content[0] === 0 || content[0] === 0xff);
  return isOne ? content[0] === 0xff : onProblem('an ill-formed BOOLEAN');
}

/** A BIT STRING of whole bytes, as keys and signatures are. X.690, section 8.6 */
export function takeBits(reader: DerReader, onProblem: OnUnderrun, tag: number = ASN1.bitString): Uint8Array {
  const content = reader.take(tag);
  return content[0] === 0 ? content.subarray(1) : onProblem('a BIT STRING that is not whole bytes');
}

/** A BIT STRING of named flags: whether bit `n` (from the left) is set. X.690, section 8.6 */
export function takeFlags(reader: DerReader, onProblem: OnUnderrun): (bit: number) => boolean {
  const content = reader.take(ASN1.bitString);
  const unused = content[0] ?? 8;
  if (unused > 7 || (content.length === 1 && unused !== 0)) return onProblem('an ill-formed BIT STRING');
  const flags = content.subarray(1);
  const usedBits = 8 * flags.length - unused;
  return (bit) => bit < usedBits && ((flags[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0;
}

/** UTCTime or GeneralizedTime in the one form certificates allow, as milliseconds since 1970. RFC 5280, section 4.1.2.5 */
export function takeTime(reader: DerReader, onProblem: OnUnderrun): number {
  const isUtcTime = reader.peekTag() === ASN1.utcTime;
  const content = reader.take(isUtcTime ? ASN1.utcTime : ASN1.generalizedTime);
  const text = String.fromCharCode(...content.subarray(0, 16));
  const match = (
    isUtcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text);
  if (match === null) return onProblem('a time in another form than RFC 5280 allows');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fullYear = isUtcTime ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return isReal ? date.getTime() : onProblem('a time that does not exist');
}
